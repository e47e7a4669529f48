CREATE TABLE departments (
  department_id INT PRIMARY KEY AUTO_INCREMENT,
  name VARCHAR(255) NOT NULL,
  floor INT NOT NULL,
  phone VARCHAR(50),
  beds INT NOT NULL
);

CREATE TABLE doctors (
  doctor_id INT PRIMARY KEY AUTO_INCREMENT,
  department_id INT NOT NULL,
  name VARCHAR(255) NOT NULL,
  title VARCHAR(50),
  salary DECIMAL(10,2) NOT NULL,
  hired_on DATE NOT NULL,
  FOREIGN KEY (department_id) REFERENCES departments(department_id)
);

CREATE TABLE patients (
  patient_id INT PRIMARY KEY AUTO_INCREMENT,
  name VARCHAR(255) NOT NULL,
  gender VARCHAR(50) NOT NULL,
  birth_date DATE NOT NULL,
  city VARCHAR(50),
  blood_type VARCHAR(50)
);

CREATE TABLE appointments (
  appointment_id INT PRIMARY KEY AUTO_INCREMENT,
  patient_id INT NOT NULL,
  doctor_id INT NOT NULL,
  scheduled_at DATETIME NOT NULL,
  status VARCHAR(50) NOT NULL,
  fee DECIMAL(10,2),
  FOREIGN KEY (patient_id) REFERENCES patients(patient_id),
  FOREIGN KEY (doctor_id) REFERENCES doctors(doctor_id)
);

CREATE TABLE prescriptions (
  prescription_id INT PRIMARY KEY AUTO_INCREMENT,
  appointment_id INT NOT NULL,
  medicine VARCHAR(255) NOT NULL,
  dose_mg INT NOT NULL,
  days INT NOT NULL,
  note TEXT,
  FOREIGN KEY (appointment_id) REFERENCES appointments(appointment_id)
);

CREATE TABLE admissions (
  admission_id INT PRIMARY KEY AUTO_INCREMENT,
  patient_id INT NOT NULL,
  department_id INT NOT NULL,
  room_no INT NOT NULL,
  admitted_on DATE NOT NULL,
  discharged_on DATE,
  FOREIGN KEY (patient_id) REFERENCES patients(patient_id),
  FOREIGN KEY (department_id) REFERENCES departments(department_id)
);
