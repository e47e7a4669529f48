CREATE TABLE destinations (
  destination_id INT PRIMARY KEY AUTO_INCREMENT,
  name VARCHAR(255) NOT NULL,
  country VARCHAR(50) NOT NULL,
  climate VARCHAR(50),
  trip_cost DECIMAL(10,2) NOT NULL
);

CREATE TABLE travelers (
  traveler_id INT PRIMARY KEY AUTO_INCREMENT,
  name VARCHAR(255) NOT NULL,
  country VARCHAR(50) NOT NULL,
  age INT NOT NULL,
  email VARCHAR(255),
  joined_on DATE NOT NULL
);

CREATE TABLE hotels (
  hotel_id INT PRIMARY KEY AUTO_INCREMENT,
  destination_id INT NOT NULL,
  name VARCHAR(255) NOT NULL,
  stars INT,
  room_count INT NOT NULL,
  price DECIMAL(10,2) NOT NULL,
  phone VARCHAR(50),
  FOREIGN KEY (destination_id) REFERENCES destinations(destination_id)
);

CREATE TABLE flights (
  flight_id INT PRIMARY KEY AUTO_INCREMENT,
  destination_id INT NOT NULL,
  airline VARCHAR(255) NOT NULL,
  origin VARCHAR(50) NOT NULL,
  price DECIMAL(10,2) NOT NULL,
  seats INT,
  departs_at DATETIME NOT NULL,
  FOREIGN KEY (destination_id) REFERENCES destinations(destination_id)
);

CREATE TABLE bookings (
  booking_id INT PRIMARY KEY AUTO_INCREMENT,
  traveler_id INT NOT NULL,
  hotel_id INT NOT NULL,
  check_in DATE NOT NULL,
  nights INT NOT NULL,
  total DECIMAL(10,2) NOT NULL,
  status VARCHAR(50) NOT NULL,
  FOREIGN KEY (traveler_id) REFERENCES travelers(traveler_id),
  FOREIGN KEY (hotel_id) REFERENCES hotels(hotel_id)
);

CREATE TABLE reviews (
  review_id INT PRIMARY KEY AUTO_INCREMENT,
  hotel_id INT NOT NULL,
  traveler_id INT NOT NULL,
  rating INT NOT NULL,
  comment TEXT,
  written_on DATE NOT NULL,
  FOREIGN KEY (hotel_id) REFERENCES hotels(hotel_id),
  FOREIGN KEY (traveler_id) REFERENCES travelers(traveler_id)
);
