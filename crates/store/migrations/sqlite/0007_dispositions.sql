-- Talks about which nobody said what became of them, though their queue asks for it.
ALTER TABLE talk ADD COLUMN disposition_missing INTEGER NOT NULL DEFAULT 0;
