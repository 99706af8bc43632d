//! What is kept is there again, and nothing takes the place of what another program has kept.

use std::fs;
use std::path::PathBuf;
use std::sync::Barrier;
use std::thread;

use tempfile::TempDir;

use super::*;

fn at(folder: &TempDir) -> StoreSettings {
    StoreSettings { path: Some(folder.path().join("store.db")), ..StoreSettings::default() }
}

fn refusal(settings: &StoreSettings) -> String {
    let checked = Buckets::check(settings).unwrap_err().to_string();
    let opened = Buckets::open(settings).unwrap_err().to_string();
    assert_eq!(checked, opened, "who only looks says what who opens says");
    opened
}

#[tokio::test]
async fn values_are_there_again_after_the_end_of_the_process_each_in_its_bucket() {
    let folder = TempDir::new().unwrap();
    for round in 0..2 {
        let store = Buckets::open(&at(&folder)).unwrap();
        if round == 0 {
            store.set("", vec![("token".to_owned(), b"\0\xff".to_vec())]).await.unwrap();
        }
        assert_eq!(store.get("", "token".to_owned()).await.unwrap(), Some(b"\0\xff".to_vec()));
        assert_eq!(store.get("default", "token".to_owned()).await.unwrap(), None);
        assert!(store.exists("", "token".to_owned()).await.unwrap());
    }
    let store = Buckets::open(&at(&folder)).unwrap();
    store.delete("", vec!["token".to_owned(), "nothing".to_owned()]).await.unwrap();
    assert_eq!(store.get("", "token".to_owned()).await.unwrap(), None);
}

#[tokio::test]
async fn two_processes_may_share_one_store() {
    let folder = TempDir::new().unwrap();
    let [one, other] = [(); 2].map(|()| Buckets::open(&at(&folder)).unwrap());
    one.set("", vec![("token".to_owned(), b"of one".to_vec())]).await.unwrap();
    assert_eq!(other.get("", "token".to_owned()).await.unwrap().unwrap(), b"of one");
}

#[tokio::test]
async fn what_two_processes_add_at_once_is_all_in_the_sum() {
    const TIMES: u64 = 50;
    let folder = TempDir::new().unwrap();
    let add = async |store: Buckets| {
        for _ in 0..TIMES {
            store.increment("", "n".to_owned(), 1).await.unwrap();
        }
    };
    let [one, other] = [(); 2].map(|()| Buckets::open(&at(&folder)).unwrap());
    // Each has a thread of its own, which waits for the other's.
    tokio::join!(add(one.clone()), add(other));
    assert_eq!(one.get("", "n".to_owned()).await.unwrap().unwrap(), (2 * TIMES).to_string().as_bytes());
}

#[test]
fn processes_that_make_one_store_at_once_all_have_it() {
    const PROCESSES: usize = 8;
    for _ in 0..8 {
        let folder = TempDir::new().unwrap();
        let settings = at(&folder);
        let start = Barrier::new(PROCESSES);
        thread::scope(|scope| {
            let open = || {
                start.wait();
                Buckets::open(&settings)
            };
            let opened: Vec<_> = (0..PROCESSES).map(|_| scope.spawn(open)).collect();
            for opened in opened {
                opened.join().unwrap().unwrap();
            }
        });
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_reads_what_is_kept_even_where_they_could_before() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let path = at(&folder).path.unwrap();
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let store = Buckets::open(&at(&folder)).unwrap();
    store.set("", vec![("token".to_owned(), b"hush".to_vec())]).await.unwrap();
    let files: Vec<PathBuf> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 2, "there is a log beside it: {files:?}");
    for file in files {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

#[test]
fn what_is_no_store_of_ours_is_named_and_stays_as_it_is() {
    let folder = TempDir::new().unwrap();
    let settings = at(&folder);
    let path = settings.path.clone().unwrap();
    fs::write(&path, "[listen]\nhttp = \"127.0.0.1:8080\"\n".repeat(100)).unwrap();
    let said = refusal(&settings);
    assert!(
        said.contains("store.db") && said.contains("damaged, or no store") && said.contains("move it away"),
        "{said}"
    );
    fs::remove_file(&path).unwrap();
    let foreign = rusqlite::Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE cookies (name TEXT)").unwrap();
    drop(foreign);
    let said = refusal(&settings);
    assert!(said.contains("a database of another program"), "{said}");
}

#[test]
fn a_store_of_a_later_version_is_refused() {
    let folder = TempDir::new().unwrap();
    drop(Buckets::open(&at(&folder)).unwrap());
    let connection = rusqlite::Connection::open(at(&folder).path.unwrap()).unwrap();
    connection.pragma_update(None, "user_version", 2).unwrap();
    drop(connection);
    let said = refusal(&at(&folder));
    assert!(said.contains("format 2, of a later version"), "{said}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("nowhere").join("store.db");
    let said = refusal(&StoreSettings { path: Some(path), ..StoreSettings::default() });
    assert!(said.contains("nowhere"), "{said}");
}

#[test]
fn who_only_looks_makes_no_file() {
    let folder = TempDir::new().unwrap();
    Buckets::check(&at(&folder)).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_store_that_is_full_says_so_and_has_room_again_when_something_is_forgotten() {
    let settings = StoreSettings { max_bytes: StoreSettings::LEAST_BYTES, ..StoreSettings::default() };
    let store = Buckets::open(&settings).unwrap();
    let value = vec![7; 10_000];
    let mut kept = 0;
    let error = loop {
        match store.set("", vec![(kept.to_string(), value.clone())]).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 100);
    };
    assert!(matches!(error, StoreError::Full), "{error}");
    assert!(kept > 2);
    assert_eq!(store.get("", "0".to_owned()).await.unwrap().unwrap(), value);
    store.delete("", vec!["0".to_owned(), "1".to_owned()]).await.unwrap();
    store.set("", vec![("another".to_owned(), value)]).await.unwrap();
}

#[tokio::test]
async fn a_value_is_set_or_not_together_with_the_others_of_its_call() {
    let settings = StoreSettings { max_bytes: StoreSettings::LEAST_BYTES, ..StoreSettings::default() };
    let store = Buckets::open(&settings).unwrap();
    let entries = vec![("small".to_owned(), vec![1]), ("large".to_owned(), vec![2; 200_000])];
    assert!(matches!(store.set("", entries).await, Err(StoreError::Full)));
    assert_eq!(store.get("", "small".to_owned()).await.unwrap(), None);
}

#[tokio::test]
async fn keys_come_page_by_page_each_once() {
    let store = Buckets::open(&StoreSettings::default()).unwrap();
    let entries = |from: usize| (from..from + 250).map(|n| (format!("{n}"), Vec::new())).collect();
    for from in [0, 250, 500] {
        store.set("", entries(from)).await.unwrap();
    }
    store.set("default", entries(0)).await.unwrap();
    let (mut keys, mut from, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = store.keys("", from).await.unwrap();
        keys.extend(page.keys);
        pages += 1;
        match page.next {
            Some(next) => from = Some(next),
            None => break,
        }
    }
    assert_eq!((keys, pages), ((0..750).map(|n| n.to_string()).collect(), 3));
    assert_eq!(store.keys("", Some(u64::MAX)).await.unwrap(), KeyPage::default());
}

#[tokio::test]
async fn a_number_is_incremented_and_what_is_none_is_not() {
    let store = Buckets::open(&StoreSettings::default()).unwrap();
    assert_eq!(store.increment("", "n".to_owned(), 3).await.unwrap(), 3);
    assert_eq!(store.increment("", "n".to_owned(), 4).await.unwrap(), 7);
    assert_eq!(store.get("", "n".to_owned()).await.unwrap().unwrap(), b"7");
    assert!(matches!(store.increment("", "n".to_owned(), u64::MAX).await, Err(StoreError::NotANumber)));
    store.set("", vec![("n".to_owned(), b"seven".to_vec())]).await.unwrap();
    assert!(matches!(store.increment("", "n".to_owned(), 1).await, Err(StoreError::NotANumber)));
}

#[tokio::test]
async fn a_call_may_neither_bring_nor_take_more_than_there_is_memory_for() {
    let store = Buckets::open(&StoreSettings::default()).unwrap();
    let long = "k".repeat(1025);
    assert!(matches!(store.get("", long.clone()).await, Err(StoreError::TooLarge(_))));
    assert!(matches!(store.set("", vec![(long, Vec::new())]).await, Err(StoreError::TooLarge(_))));
    let value = vec![0; 256 * 1024];
    assert!(matches!(
        store.set("", vec![("k".to_owned(), vec![0; 256 * 1024 + 1])]).await,
        Err(StoreError::TooLarge(_))
    ));
    store.set("", vec![("k".to_owned(), value)]).await.unwrap();
    let same = |times| vec!["k".to_owned(); times];
    assert_eq!(store.get_many("", same(4)).await.unwrap().len(), 4);
    assert!(matches!(store.get_many("", same(5)).await, Err(StoreError::TooLarge(_))));
    assert!(matches!(store.get_many("", same(257)).await, Err(StoreError::TooLarge(_))));
}
