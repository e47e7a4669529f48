CREATE TABLE departments (
  department_id INT PRIMARY KEY AUTO_INCREMENT,
  name VARCHAR(255) NOT NULL,
  city VARCHAR(50) NOT NULL,
  budget DECIMAL(10,2) NOT NULL,
  phone VARCHAR(50)
);

CREATE TABLE positions (
  position_id INT PRIMARY KEY AUTO_INCREMENT,
  title VARCHAR(255) NOT NULL,
  level INT NOT NULL,
  min_salary DECIMAL(10,2) NOT NULL,
  max_salary DECIMAL(10,2)
);

CREATE TABLE employees (
  employee_id INT PRIMARY KEY AUTO_INCREMENT,
  department_id INT,
  position_id INT NOT NULL,
  name VARCHAR(255) NOT NULL,
  salary DECIMAL(10,2) NOT NULL,
  phone VARCHAR(50),
  hired_on DATE NOT NULL,
  FOREIGN KEY (department_id) REFERENCES departments(department_id),
  FOREIGN KEY (position_id) REFERENCES positions(position_id)
);

CREATE TABLE leaves (
  leave_id INT PRIMARY KEY AUTO_INCREMENT,
  employee_id INT NOT NULL,
  leave_type VARCHAR(50) NOT NULL,
  days INT NOT NULL,
  start_date DATE NOT NULL,
  status VARCHAR(50) NOT NULL,
  reason VARCHAR(255),
  FOREIGN KEY (employee_id) REFERENCES employees(employee_id)
);

CREATE TABLE payslips (
  payslip_id INT PRIMARY KEY AUTO_INCREMENT,
  employee_id INT NOT NULL,
  amount DECIMAL(10,2) NOT NULL,
  bonus DECIMAL(10,2),
  paid_on DATE NOT NULL,
  FOREIGN KEY (employee_id) REFERENCES employees(employee_id)
);

CREATE TABLE evaluations (
  evaluation_id INT PRIMARY KEY AUTO_INCREMENT,
  employee_id INT NOT NULL,
  eval_year INT NOT NULL,
  score INT NOT NULL,
  comment TEXT,
  FOREIGN KEY (employee_id) REFERENCES employees(employee_id)
);
