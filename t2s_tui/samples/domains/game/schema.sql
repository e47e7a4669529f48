CREATE TABLE clans (
  clan_id INT PRIMARY KEY AUTO_INCREMENT,
  clan_name VARCHAR(255) NOT NULL,
  town VARCHAR(50),
  treasury INT,
  max_members INT NOT NULL,
  founded_on DATE NOT NULL
);

CREATE TABLE players (
  player_id INT PRIMARY KEY AUTO_INCREMENT,
  nickname VARCHAR(50) NOT NULL,
  country VARCHAR(50),
  gems INT NOT NULL,
  signup_date DATE NOT NULL,
  last_seen DATETIME
);

CREATE TABLE characters (
  character_id INT PRIMARY KEY AUTO_INCREMENT,
  player_id INT NOT NULL,
  clan_id INT,
  name VARCHAR(50) NOT NULL,
  job VARCHAR(50) NOT NULL,
  power INT NOT NULL,
  gold BIGINT,
  FOREIGN KEY (player_id) REFERENCES players(player_id),
  FOREIGN KEY (clan_id) REFERENCES clans(clan_id)
);

CREATE TABLE quests (
  quest_id INT PRIMARY KEY AUTO_INCREMENT,
  title VARCHAR(255) NOT NULL,
  region VARCHAR(50),
  difficulty VARCHAR(50) NOT NULL,
  min_power INT NOT NULL,
  reward_gold INT NOT NULL,
  time_limit INT
);

CREATE TABLE npcs (
  npc_id INT PRIMARY KEY AUTO_INCREMENT,
  quest_id INT,
  npc_name VARCHAR(50) NOT NULL,
  trade VARCHAR(50) NOT NULL,
  town VARCHAR(50),
  age INT,
  FOREIGN KEY (quest_id) REFERENCES quests(quest_id)
);

CREATE TABLE quest_progresses (
  quest_progress_id INT PRIMARY KEY AUTO_INCREMENT,
  character_id INT NOT NULL,
  quest_id INT NOT NULL,
  state VARCHAR(50) NOT NULL,
  percent INT NOT NULL,
  started_on DATE NOT NULL,
  finished_on DATE,
  FOREIGN KEY (character_id) REFERENCES characters(character_id),
  FOREIGN KEY (quest_id) REFERENCES quests(quest_id)
);

CREATE TABLE equipments (
  equipment_id INT PRIMARY KEY AUTO_INCREMENT,
  character_id INT NOT NULL,
  gear_name VARCHAR(255) NOT NULL,
  slot VARCHAR(50) NOT NULL,
  rarity VARCHAR(50),
  attack INT NOT NULL,
  durability INT NOT NULL,
  FOREIGN KEY (character_id) REFERENCES characters(character_id)
);

CREATE TABLE skill_trees (
  skill_tree_id INT PRIMARY KEY AUTO_INCREMENT,
  character_id INT NOT NULL,
  branch VARCHAR(50) NOT NULL,
  skill VARCHAR(255) NOT NULL,
  points INT NOT NULL,
  cooldown INT,
  FOREIGN KEY (character_id) REFERENCES characters(character_id)
);

CREATE TABLE inventory_items (
  inventory_item_id INT PRIMARY KEY AUTO_INCREMENT,
  character_id INT NOT NULL,
  item VARCHAR(255) NOT NULL,
  kind VARCHAR(50) NOT NULL,
  quantity INT NOT NULL,
  price DECIMAL(10,2),
  FOREIGN KEY (character_id) REFERENCES characters(character_id)
);
