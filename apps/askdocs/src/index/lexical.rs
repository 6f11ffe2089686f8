//! Search by words. The only part that knows Tantivy.

use std::collections::HashMap;
use std::path::Path;

use tantivy::collector::{Count, TopDocs};
use tantivy::directory::MmapDirectory;
use tantivy::directory::error::LockError;
use tantivy::query::{AllQuery, BooleanQuery, BoostQuery, Occur, Query, TermQuery, TermSetQuery};
use tantivy::schema::{Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions, Value as _};
use tantivy::tokenizer::{
    Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, StopWordFilter, TextAnalyzer,
};
use tantivy::{Index as Tantivy, IndexReader, IndexWriter, TantivyDocument, TantivyError, Term, doc};

use super::IndexError;
use crate::passage::{Passage, PassageId};

/// English words by their stems, without those that every text has.
const ANALYZER: &str = "english";
/// Words in titles and headings say more than words in the text.
const TITLE_BOOST: f32 = 1.5;
const SECTION_BOOST: f32 = 1.5;
/// Most words of a question that are looked for.
const MAX_QUESTION_WORDS: usize = 64;
/// Memory of the writer, in bytes.
const WRITER_BYTES: usize = 50_000_000;
/// What `kind` says.
const FILE: &str = "file";
const PASSAGE: &str = "passage";

#[derive(Clone)]
struct Fields {
    kind: Field,
    /// Of passages: the hash of what is embedded.
    id: Field,
    /// The path.
    file: Field,
    /// Of files: hash of their bytes and of what was done with them.
    hash: Field,
    title: Field,
    section: Field,
    link: Field,
    text: Field,
}

fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let indexing = TextFieldIndexing::default().set_tokenizer(ANALYZER).set_index_option(IndexRecordOption::WithFreqs);
    let text = TextOptions::default().set_indexing_options(indexing).set_stored();
    let fields = Fields {
        kind: schema.add_text_field("kind", STRING | STORED),
        id: schema.add_text_field("id", STRING | STORED),
        file: schema.add_text_field("file", STRING | STORED),
        hash: schema.add_text_field("hash", STORED),
        title: schema.add_text_field("title", text.clone()),
        section: schema.add_text_field("section", text.clone()),
        link: schema.add_text_field("link", STORED),
        text: schema.add_text_field("text", text),
    };
    (schema.build(), fields)
}

/// Words of a text as they are searched for. Also marks them in what was found.
pub(crate) fn analyzer() -> TextAnalyzer {
    let words =
        TextAnalyzer::builder(SimpleTokenizer::default()).filter(RemoveLongFilter::limit(60)).filter(LowerCaser);
    match StopWordFilter::new(Language::English) {
        Some(stop_words) => words.filter(stop_words).filter(Stemmer::new(Language::English)).build(),
        None => words.filter(Stemmer::new(Language::English)).build(),
    }
}

/// The texts, to be searched.
pub(super) struct Lexical {
    reader: IndexReader,
    fields: Fields,
}

impl Lexical {
    pub(super) fn open(folder: &Path) -> Result<Self, IndexError> {
        if !folder.join("meta.json").is_file() {
            return Err(IndexError::Missing(folder.to_owned()));
        }
        let index = Tantivy::open_in_dir(folder)?;
        index.tokenizers().register(ANALYZER, analyzer());
        Ok(Self { reader: index.reader()?, fields: schema().1 })
    }

    pub(super) fn count(&self) -> Result<usize, IndexError> {
        let query = TermQuery::new(Term::from_field_text(self.fields.kind, PASSAGE), IndexRecordOption::Basic);
        Ok(self.reader.searcher().search(&query, &Count)?)
    }

    /// Number of passages with one of these ids.
    pub(super) fn count_of(&self, ids: &[PassageId]) -> Result<usize, IndexError> {
        let terms = ids.iter().map(|id| Term::from_field_text(self.fields.id, &id.to_string()));
        Ok(self.reader.searcher().search(&TermSetQuery::new(terms), &Count)?)
    }

    pub(super) fn search(&self, question: &str, count: usize) -> Result<Vec<Passage>, IndexError> {
        let mut words = Vec::new();
        analyzer().token_stream(question).process(&mut |token| words.push(token.text.clone()));
        words.sort_unstable();
        words.dedup();
        words.truncate(MAX_QUESTION_WORDS);
        let places = [(self.fields.text, 1.0), (self.fields.title, TITLE_BOOST), (self.fields.section, SECTION_BOOST)];
        let clauses: Vec<(Occur, Box<dyn Query>)> = words
            .iter()
            .flat_map(|word| places.map(|(field, boost)| (Term::from_field_text(field, word), boost)))
            .map(|(term, boost)| {
                let query = Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs));
                let query: Box<dyn Query> = Box::new(BoostQuery::new(query, boost));
                (Occur::Should, query)
            })
            .collect();
        if clauses.is_empty() { Ok(Vec::new()) } else { self.top(&BooleanQuery::new(clauses), count) }
    }

    /// The passages with an id: several if the same text stands in several files.
    pub(super) fn get(&self, id: PassageId) -> Result<Vec<Passage>, IndexError> {
        let term = Term::from_field_text(self.fields.id, &id.to_string());
        self.top(&TermQuery::new(term, IndexRecordOption::Basic), 3)
    }

    fn top(&self, query: &dyn Query, count: usize) -> Result<Vec<Passage>, IndexError> {
        let searcher = self.reader.searcher();
        let found = searcher.search(query, &TopDocs::with_limit(count.max(1)).order_by_score())?;
        found.into_iter().map(|(_, address)| Ok(passage(&searcher.doc(address)?, &self.fields))).collect()
    }
}

fn text_of(document: &TantivyDocument, field: Field) -> String {
    document.get_first(field).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
}

fn passage(document: &TantivyDocument, fields: &Fields) -> Passage {
    Passage {
        title: text_of(document, fields.title),
        section: text_of(document, fields.section),
        link: text_of(document, fields.link),
        text: text_of(document, fields.text),
    }
}

/// The texts, to be changed. There is one at a time.
pub(super) struct LexicalWriter {
    index: Tantivy,
    writer: IndexWriter,
    fields: Fields,
}

impl LexicalWriter {
    pub(super) fn open(folder: &Path) -> Result<Self, IndexError> {
        let (schema, fields) = schema();
        let failed = |source| IndexError::File { path: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let open = || Tantivy::open_or_create(MmapDirectory::open(folder)?, schema.clone());
        let index = match open() {
            // An index of an older version: all of it can be made again.
            Err(TantivyError::SchemaError(_)) => {
                std::fs::remove_dir_all(folder).map_err(failed)?;
                std::fs::create_dir_all(folder).map_err(failed)?;
                open()?
            }
            other => other?,
        };
        index.tokenizers().register(ANALYZER, analyzer());
        let writer = index.writer_with_num_threads(1, WRITER_BYTES).map_err(|error| match error {
            TantivyError::LockFailure(LockError::LockBusy, _) => IndexError::Locked(folder.to_owned()),
            other => other.into(),
        })?;
        Ok(Self { index, writer, fields })
    }

    /// Files by path, with their hashes.
    pub(super) fn files(&self) -> Result<HashMap<String, String>, IndexError> {
        let mut files = HashMap::new();
        self.each(FILE, &mut |document, fields| {
            files.insert(text_of(document, fields.file), text_of(document, fields.hash));
        })?;
        Ok(files)
    }

    /// Every passage that was committed, in the order of files and within them.
    pub(super) fn passages(&self) -> Result<Vec<Passage>, IndexError> {
        let mut passages = Vec::new();
        self.each(PASSAGE, &mut |document, fields| passages.push(passage(document, fields)))?;
        Ok(passages)
    }

    fn each(&self, kind: &str, work: &mut dyn FnMut(&TantivyDocument, &Fields)) -> Result<(), IndexError> {
        let searcher = self.index.reader()?.searcher();
        if searcher.search(&AllQuery, &Count)? == 0 {
            return Ok(());
        }
        for segment in searcher.segment_readers() {
            let store = segment.get_store_reader(10).map_err(TantivyError::from)?;
            for document in store.iter::<TantivyDocument>(segment.alive_bitset()) {
                let document = document?;
                if text_of(&document, self.fields.kind) == kind {
                    work(&document, &self.fields);
                }
            }
        }
        Ok(())
    }

    /// Puts a file's passages in the place of those that it had.
    pub(super) fn put(&mut self, file: &str, hash: &str, passages: &[Passage]) -> Result<(), IndexError> {
        self.remove(file);
        let fields = &self.fields;
        self.writer.add_document(doc!(fields.kind => FILE, fields.file => file, fields.hash => hash))?;
        for passage in passages {
            self.writer.add_document(doc!(
                fields.kind => PASSAGE,
                fields.id => PassageId::of(passage).to_string(),
                fields.file => file,
                fields.title => passage.title.as_str(),
                fields.section => passage.section.as_str(),
                fields.link => passage.link.as_str(),
                fields.text => passage.text.as_str(),
            ))?;
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, file: &str) {
        self.writer.delete_term(Term::from_field_text(self.fields.file, file));
    }

    pub(super) fn commit(&mut self) -> Result<(), IndexError> {
        self.writer.commit()?;
        Ok(())
    }
}
