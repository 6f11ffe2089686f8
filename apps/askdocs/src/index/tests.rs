use std::fs;
use std::sync::Arc;

use askdocs_model::scripted::ScriptedEmbedding;

use super::*;
use crate::embed::Embedder;

struct Folders {
    _root: tempfile::TempDir,
    documents: PathBuf,
    index: PathBuf,
}

fn folders() -> Folders {
    let root = tempfile::tempdir().expect("a folder");
    let (documents, index) = (root.path().join("documents"), root.path().join("index"));
    fs::create_dir_all(documents.join("deep")).expect("a folder");
    fs::write(
        documents.join("vacuum.md"),
        "# VACUUM\n\n## Use\n\nVACUUM reclaims storage that dead rows occupy in a table of the database.\n",
    )
    .expect("written");
    fs::write(documents.join("deep/backup.html"), "<title>Backup</title><h1>Backup</h1><p>pg_dump writes a single database to a file, from which it can be restored later.</p>")
        .expect("written");
    fs::write(documents.join("broken.pdf"), "%PDF-1.4 no").expect("written");
    Folders { _root: root, documents, index }
}

async fn updated(folders: &Folders, options: &UpdateOptions) -> Summary {
    let embedder = Embedder::Local(Arc::new(ScriptedEmbedding));
    update(&folders.index, &folders.documents, Some(&embedder), options, &mut |_, _, _| {}).await.expect("updated")
}

fn links(passages: &[Passage]) -> Vec<&str> {
    passages.iter().map(|passage| passage.link.as_str()).collect()
}

#[tokio::test]
async fn files_become_passages_that_are_found() {
    let folders = folders();
    let summary = updated(&folders, &UpdateOptions::default()).await;
    assert_eq!((summary.files, summary.changed, summary.passages, summary.embedded), (3, 2, 2, 2));
    assert!(summary.errors.len() == 1 && summary.errors[0].path.ends_with("broken.pdf"), "{:?}", summary.errors);
    let index = Index::open(&folders.index).expect("an index");
    assert_eq!((index.passages().expect("read"), index.embedded().expect("read")), (2, 2));
    assert_eq!(links(&index.by_words("What reclaims a dead row?", 3).expect("read")), ["vacuum.md#use"]);
    assert_eq!(links(&index.by_words("restoring databases", 1).expect("read")), ["deep/backup.html"]);
    assert!(index.by_words("of the and", 3).expect("read").is_empty());
    let embedder = Embedder::Local(Arc::new(ScriptedEmbedding));
    let vector = embedder.embed(vec!["a file with a single database".to_owned()]).await.expect("embedded").remove(0);
    assert_eq!(links(&index.by_meaning(&vector, 1).expect("read")), ["deep/backup.html"]);
}

#[tokio::test]
async fn only_what_changed_is_read_and_embedded_again() {
    let folders = folders();
    updated(&folders, &UpdateOptions::default()).await;
    let index = Index::open(&folders.index).expect("an index");
    let again = updated(&folders, &UpdateOptions::default()).await;
    assert_eq!((again.changed, again.removed, again.embedded, again.passages), (0, 0, 0, 2));

    // Moved: read again, but its text is known.
    fs::rename(folders.documents.join("vacuum.md"), folders.documents.join("deep/v.md")).expect("moved");
    let moved = updated(&folders, &UpdateOptions::default()).await;
    assert_eq!((moved.changed, moved.removed, moved.embedded), (1, 1, 0));

    fs::write(folders.documents.join("deep/v.md"), "# VACUUM\n\nIt analyzes tables, too, if it is asked to, and then the planner knows more about them than before.\n")
        .expect("written");
    fs::remove_file(folders.documents.join("deep/backup.html")).expect("removed");
    let changed = updated(&folders, &UpdateOptions::default()).await;
    assert_eq!((changed.changed, changed.removed, changed.embedded, changed.passages), (1, 1, 1, 1));
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert_eq!(
        links(&index.by_words("planner analyzes", 3).expect("read")),
        ["deep/v.md#vacuum"],
        "an open index sees it"
    );
    assert!(index.by_words("pg_dump", 3).expect("read").is_empty());
    // Two of three vectors were of texts that are gone, so the file was written anew; an index that is open reads that one.
    fs::write(folders.documents.join("again.md"), fs::read(folders.documents.join("deep/v.md")).expect("read"))
        .expect("written");
    let again = updated(&folders, &UpdateOptions::default()).await;
    assert_eq!((again.embedded, again.passages), (0, 2), "the same text in two files");
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert_eq!(index.embedded().expect("read"), 2);
    let embedder = Embedder::Local(Arc::new(ScriptedEmbedding));
    let vector = embedder.embed(vec!["planner tables analyzes".to_owned()]).await.expect("embedded").remove(0);
    assert_eq!(index.by_meaning(&vector, 2).expect("read").len(), 2);
}

#[tokio::test]
async fn embedding_can_be_done_in_parts_and_survives_a_cut() {
    let folders = folders();
    let part = updated(&folders, &UpdateOptions { embed_at_most: Some(1), ..UpdateOptions::default() }).await;
    assert_eq!((part.embedded, part.left), (1, 1));
    let file = vectors_file(&folders.index);
    let mut bytes = fs::read(&file).expect("there");
    bytes.extend_from_slice(&[7; 100]);
    fs::write(&file, &bytes).expect("written");
    let rest = updated(&folders, &UpdateOptions::default()).await;
    assert_eq!((rest.embedded, rest.left), (1, 0));
    assert_eq!(Index::open(&folders.index).expect("an index").embedded().expect("read"), 2);
}

#[test]
fn an_index_that_is_not_there_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = Index::open(folder.path()).err().expect("none").to_string();
    assert!(error.contains("askdocs index PATH"), "{error}");
}
