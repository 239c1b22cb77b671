-- SPDX-License-Identifier: GPL-2.0
-- What sqlite3 is recorded with: a table of parts and one of orders, filled in
-- one transaction and looked through in several ways.
CREATE TABLE part (id INTEGER PRIMARY KEY, name TEXT, price REAL);
CREATE TABLE sale (id INTEGER PRIMARY KEY, part INTEGER REFERENCES part, amount INTEGER, note TEXT);
CREATE INDEX sale_part ON sale (part);
BEGIN;
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
INSERT INTO part SELECT i, 'part ' || (i * 7919 % 1000), i * 1.25 FROM n;
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
INSERT INTO sale SELECT i, 1 + i * 31 % 500, i % 17, substr('all work and no play ', 1, i % 20) || i FROM n;
COMMIT;
SELECT count(*), sum(amount * price) FROM sale JOIN part ON part.id = part;
SELECT name, group_concat(note, '+') FROM sale JOIN part ON part.id = part GROUP BY name ORDER BY 2 LIMIT 3;
UPDATE sale SET note = upper(note) || '!' WHERE amount > 8;
SELECT json_group_array(json_object('id', id, 'note', note)) FROM sale WHERE id % 10 = 0;
SELECT count(DISTINCT lower(note)) FROM sale WHERE note LIKE '%work%';
DELETE FROM sale WHERE amount = 3;
SELECT a.name, count(*) FROM part a JOIN part b ON a.name > b.name GROUP BY 1 ORDER BY 2 DESC LIMIT 3;
VACUUM;
