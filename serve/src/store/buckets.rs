//! Buckets of names and values, as guests see them.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::StoreSettings;
use super::database::{Database, Schema};
use super::error::StoreError;

/// All buckets of a store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Buckets {
    database: Database,
    names: Arc<[String]>,
}

/// Some of the keys of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyPage {
    /// In the order in which they came.
    pub keys: Vec<String>,
    /// Where the next page begins. None: there is none.
    pub next: Option<u64>,
}

const SCHEMA: Schema = Schema {
    // "tpkv".
    application_id: 0x7470_6b76,
    versions: &["CREATE TABLE entry (
        id INTEGER PRIMARY KEY,
        bucket TEXT NOT NULL,
        key TEXT NOT NULL,
        value BLOB NOT NULL,
        UNIQUE (bucket, key)
    ) STRICT"],
};

/// Bytes of a key.
const KEY_BYTES: usize = 1024;

/// Bytes of a value. A token has one or two KB.
const VALUE_BYTES: usize = 256 * 1024;

/// Keys of one page, and of one call that names several.
const KEYS_AT_ONCE: usize = 256;

/// Bytes of all values that one call gives.
const BYTES_AT_ONCE: usize = 1024 * 1024;

impl Buckets {
    /// Opens the store, or makes it.
    ///
    /// # Errors
    ///
    /// The file cannot be opened or made, is damaged, or that of another program.
    pub fn open(settings: &StoreSettings) -> Result<Self, StoreError> {
        let database = Database::open(settings.path.as_deref(), &SCHEMA, settings.max_bytes)?;
        Ok(Self { database, names: settings.buckets.clone().into() })
    }

    /// Says whether the store could be opened, and leaves it as it is.
    ///
    /// # Errors
    ///
    /// As with [`open`](Self::open).
    pub fn check(settings: &StoreSettings) -> Result<(), StoreError> {
        settings.path.as_deref().map_or(Ok(()), |path| Database::check(path, &SCHEMA))
    }

    /// The same store with other names of buckets that may be opened.
    #[must_use]
    pub fn with_names(&self, names: &[String]) -> Self {
        Self { database: self.database.clone(), names: names.into() }
    }

    /// Whether there is such a bucket.
    pub fn has(&self, bucket: &str) -> bool {
        self.names.iter().any(|name| name == bucket)
    }

    /// The value of a key.
    ///
    /// # Errors
    ///
    /// The key is too long, or the store fails.
    pub async fn get(&self, bucket: &str, key: String) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.get_many(bucket, vec![key]).await?.pop().flatten())
    }

    /// The values of these keys, in their order.
    ///
    /// # Errors
    ///
    /// A key is too long, there are too many of them, or the store fails.
    pub async fn get_many(&self, bucket: &str, keys: Vec<String>) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        check_keys(keys.iter())?;
        self.with(bucket, move |connection, bucket| {
            let mut statement = connection.prepare("SELECT value FROM entry WHERE bucket = ?1 AND key = ?2")?;
            let mut bytes = 0;
            let values = keys.iter().map(|key| {
                let value: Option<Vec<u8>> = statement.query_row(params![bucket, key], |row| row.get(0)).optional()?;
                bytes += value.as_ref().map_or(0, Vec::len);
                match bytes > BYTES_AT_ONCE {
                    true => Err(StoreError::TooLarge("these are more than 1 MiB of values; ask for fewer at once")),
                    false => Ok(value),
                }
            });
            values.collect()
        })
        .await
    }

    /// Whether a key is there.
    ///
    /// # Errors
    ///
    /// The key is too long, or the store fails.
    pub async fn exists(&self, bucket: &str, key: String) -> Result<bool, StoreError> {
        check_keys([&key])?;
        self.with(bucket, move |connection, bucket| {
            let mut statement = connection.prepare("SELECT 1 FROM entry WHERE bucket = ?1 AND key = ?2")?;
            Ok(statement.exists(params![bucket, key])?)
        })
        .await
    }

    /// Sets values, all or none.
    ///
    /// # Errors
    ///
    /// A key or a value is too long, there are too many, there is no room, or the store fails.
    pub async fn set(&self, bucket: &str, entries: Vec<(String, Vec<u8>)>) -> Result<(), StoreError> {
        check_keys(entries.iter().map(|(key, _)| key))?;
        if entries.iter().any(|(_, value)| value.len() > VALUE_BYTES) {
            return Err(StoreError::TooLarge("the value is larger than 256 KiB"));
        }
        self.with(bucket, move |connection, bucket| {
            let transaction = connection.transaction()?;
            for (key, value) in &entries {
                put(&transaction, bucket, key, value)?;
            }
            Ok(transaction.commit()?)
        })
        .await
    }

    /// Forgets keys. Those that are not there are no error.
    ///
    /// # Errors
    ///
    /// A key is too long, there are too many, or the store fails.
    pub async fn delete(&self, bucket: &str, keys: Vec<String>) -> Result<(), StoreError> {
        check_keys(keys.iter())?;
        self.with(bucket, move |connection, bucket| {
            let transaction = connection.transaction()?;
            for key in &keys {
                transaction.execute("DELETE FROM entry WHERE bucket = ?1 AND key = ?2", params![bucket, key])?;
            }
            Ok(transaction.commit()?)
        })
        .await
    }

    /// Adds to the number that a value is, in decimal digits, and gives the sum. What is not there counts as nothing.
    ///
    /// # Errors
    ///
    /// The value is no number, the sum has more than 64 bits, the key is too long, there is no room, or the store fails.
    pub async fn increment(&self, bucket: &str, key: String, delta: u64) -> Result<u64, StoreError> {
        check_keys([&key])?;
        self.with(bucket, move |connection, bucket| {
            let transaction = connection.transaction()?;
            let query = "SELECT value FROM entry WHERE bucket = ?1 AND key = ?2";
            let before: Option<Vec<u8>> =
                transaction.query_row(query, params![bucket, key], |row| row.get(0)).optional()?;
            let before = match before {
                None => 0,
                Some(digits) => {
                    let number = str::from_utf8(&digits).ok().and_then(|digits| digits.parse::<u64>().ok());
                    number.ok_or(StoreError::NotANumber)?
                }
            };
            let sum = before.checked_add(delta).ok_or(StoreError::NotANumber)?;
            put(&transaction, bucket, &key, sum.to_string().as_bytes())?;
            transaction.commit()?;
            Ok(sum)
        })
        .await
    }

    /// Some of the keys, from here on.
    ///
    /// # Errors
    ///
    /// The store fails.
    pub async fn keys(&self, bucket: &str, from: Option<u64>) -> Result<KeyPage, StoreError> {
        // What no row can have is behind all of them.
        let from = from.map_or(0, |from| i64::try_from(from).unwrap_or(i64::MAX));
        self.with(bucket, move |connection, bucket| {
            let query = "SELECT id, key FROM entry WHERE bucket = ?1 AND id >= ?2 ORDER BY id LIMIT ?3";
            let mut statement = connection.prepare(query)?;
            let limit = i64::try_from(KEYS_AT_ONCE + 1).unwrap_or(i64::MAX);
            let rows = statement.query_map(params![bucket, from, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut rows = rows.collect::<Result<Vec<(i64, String)>, _>>()?;
            let next = (rows.len() > KEYS_AT_ONCE).then(|| rows.pop()).flatten();
            let keys = rows.into_iter().map(|(_, key)| key).collect();
            Ok(KeyPage { keys, next: next.and_then(|(id, _)| u64::try_from(id).ok()) })
        })
        .await
    }

    async fn with<T: Send + 'static>(
        &self,
        bucket: &str,
        job: impl FnOnce(&mut Connection, &str) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let bucket = bucket.to_owned();
        self.database.with(move |connection| job(connection, &bucket)).await
    }
}

fn put(connection: &Connection, bucket: &str, key: &str, value: &[u8]) -> Result<(), StoreError> {
    let statement = "INSERT INTO entry (bucket, key, value) VALUES (?1, ?2, ?3)
        ON CONFLICT (bucket, key) DO UPDATE SET value = excluded.value";
    connection.execute(statement, params![bucket, key, value])?;
    Ok(())
}

fn check_keys<'a>(keys: impl IntoIterator<Item = &'a String>) -> Result<(), StoreError> {
    let mut count = 0;
    for key in keys {
        count += 1;
        if key.len() > KEY_BYTES {
            return Err(StoreError::TooLarge("the key is longer than 1024 bytes"));
        }
    }
    match count > KEYS_AT_ONCE {
        true => Err(StoreError::TooLarge("these are more than 256 keys; name fewer at once")),
        false => Ok(()),
    }
}
