CREATE TABLE branches (
  branch_id INT PRIMARY KEY AUTO_INCREMENT,
  name VARCHAR(255) NOT NULL,
  city VARCHAR(50) NOT NULL,
  staff_count INT NOT NULL,
  opened_on DATE NOT NULL
);

CREATE TABLE customers (
  customer_id INT PRIMARY KEY AUTO_INCREMENT,
  name VARCHAR(255) NOT NULL,
  city VARCHAR(50) NOT NULL,
  email VARCHAR(255),
  birth_date DATE NOT NULL,
  credit_score INT
);

CREATE TABLE accounts (
  account_id INT PRIMARY KEY AUTO_INCREMENT,
  customer_id INT NOT NULL,
  branch_id INT NOT NULL,
  account_type VARCHAR(50) NOT NULL,
  balance DECIMAL(10,2) NOT NULL,
  opened_on DATE NOT NULL,
  status VARCHAR(50) NOT NULL,
  FOREIGN KEY (customer_id) REFERENCES customers(customer_id),
  FOREIGN KEY (branch_id) REFERENCES branches(branch_id)
);

CREATE TABLE cards (
  card_id INT PRIMARY KEY AUTO_INCREMENT,
  account_id INT NOT NULL,
  card_type VARCHAR(50) NOT NULL,
  credit_limit DECIMAL(10,2),
  expires_on DATE NOT NULL,
  FOREIGN KEY (account_id) REFERENCES accounts(account_id)
);

CREATE TABLE loans (
  loan_id INT PRIMARY KEY AUTO_INCREMENT,
  customer_id INT NOT NULL,
  loan_type VARCHAR(50) NOT NULL,
  amount DECIMAL(10,2) NOT NULL,
  interest_rate DECIMAL(10,2) NOT NULL,
  start_date DATE NOT NULL,
  paid_on DATE,
  FOREIGN KEY (customer_id) REFERENCES customers(customer_id)
);

CREATE TABLE transactions (
  transaction_id INT PRIMARY KEY AUTO_INCREMENT,
  account_id INT NOT NULL,
  kind VARCHAR(50) NOT NULL,
  amount DECIMAL(10,2) NOT NULL,
  made_at DATETIME NOT NULL,
  memo VARCHAR(255),
  FOREIGN KEY (account_id) REFERENCES accounts(account_id)
);
