-- How many jobs each tenant has, so that the limit can be kept without counting a hundred thousand rows for each new one.

CREATE TABLE job_count (
    tenant TEXT NOT NULL PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO job_count (tenant, count) SELECT tenant, count(*) FROM job GROUP BY tenant;

CREATE TRIGGER job_added AFTER INSERT ON job BEGIN
    INSERT INTO job_count (tenant, count) VALUES (NEW.tenant, 1) ON CONFLICT (tenant) DO UPDATE SET count = count + 1;
END;

CREATE TRIGGER job_removed AFTER DELETE ON job BEGIN
    UPDATE job_count SET count = count - 1 WHERE tenant = OLD.tenant;
END;
