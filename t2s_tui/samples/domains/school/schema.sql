CREATE TABLE teachers (
  teacher_id INT PRIMARY KEY AUTO_INCREMENT,
  name VARCHAR(255) NOT NULL,
  subject VARCHAR(50),
  salary INT,
  hired_on DATE NOT NULL
);

CREATE TABLE clubs (
  club_id INT PRIMARY KEY AUTO_INCREMENT,
  teacher_id INT,
  name VARCHAR(255) NOT NULL,
  room VARCHAR(50),
  budget INT,
  founded_on DATE NOT NULL,
  FOREIGN KEY (teacher_id) REFERENCES teachers(teacher_id)
);

CREATE TABLE students (
  student_id INT PRIMARY KEY AUTO_INCREMENT,
  club_id INT,
  name VARCHAR(255) NOT NULL,
  grade INT NOT NULL,
  city VARCHAR(50),
  birth_date DATE NOT NULL,
  email VARCHAR(255),
  FOREIGN KEY (club_id) REFERENCES clubs(club_id)
);

CREATE TABLE courses (
  course_id INT PRIMARY KEY AUTO_INCREMENT,
  teacher_id INT,
  title VARCHAR(255) NOT NULL,
  credits INT NOT NULL,
  capacity INT,
  room VARCHAR(50),
  FOREIGN KEY (teacher_id) REFERENCES teachers(teacher_id)
);

CREATE TABLE enrollments (
  enrollment_id INT PRIMARY KEY AUTO_INCREMENT,
  student_id INT NOT NULL,
  course_id INT NOT NULL,
  score INT,
  enrolled_on DATE NOT NULL,
  FOREIGN KEY (student_id) REFERENCES students(student_id),
  FOREIGN KEY (course_id) REFERENCES courses(course_id)
);
