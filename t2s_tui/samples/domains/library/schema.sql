CREATE TABLE branches (
  branch_id INT PRIMARY KEY AUTO_INCREMENT,
  name VARCHAR(255) NOT NULL,
  city VARCHAR(50) NOT NULL,
  seats INT,
  opened_on DATE
);

CREATE TABLE authors (
  author_id INT PRIMARY KEY AUTO_INCREMENT,
  name VARCHAR(255) NOT NULL,
  country VARCHAR(50),
  birth_year INT
);

CREATE TABLE books (
  book_id INT PRIMARY KEY AUTO_INCREMENT,
  author_id INT NOT NULL,
  title VARCHAR(255) NOT NULL,
  genre VARCHAR(50),
  pages INT,
  price DECIMAL(10,2),
  published_on DATE,
  FOREIGN KEY (author_id) REFERENCES authors(author_id)
);

CREATE TABLE members (
  member_id INT PRIMARY KEY AUTO_INCREMENT,
  branch_id INT,
  name VARCHAR(255) NOT NULL,
  email VARCHAR(255),
  level VARCHAR(50),
  points INT,
  joined_on DATE NOT NULL,
  FOREIGN KEY (branch_id) REFERENCES branches(branch_id)
);

CREATE TABLE loans (
  loan_id INT PRIMARY KEY AUTO_INCREMENT,
  book_id INT NOT NULL,
  member_id INT NOT NULL,
  loaned_on DATE NOT NULL,
  returned_on DATE,
  fee DECIMAL(10,2),
  FOREIGN KEY (book_id) REFERENCES books(book_id),
  FOREIGN KEY (member_id) REFERENCES members(member_id)
);
