//! The engine against the naive one, and each kind of filter by hand.

#[path = "../../../../tokenfall-query/tests/it/arbitrary.rs"]
mod arbitrary;
#[path = "../../../../tokenfall-query/tests/it/naive.rs"]
mod naive;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use tantivy::merge_policy::NoMergePolicy;
use tantivy::{Index, IndexWriter};
use tokenfall_model::{ServiceName, Timestamp};
use tokenfall_query::{HitsRequest, Sort};

use self::arbitrary::MIDNIGHT_US;
use super::super::partition::{PartitionKey, Slice};
use super::super::schema::DocumentSchema;
use super::*;

/// Documents in partitions by stream and day, a segment for each chunk of a partition.
fn partitions(documents: &[Document], chunk: usize) -> Vec<PartitionSearcher> {
    let now = Timestamp::from_micros(MIDNIGHT_US);
    let mut by_key: BTreeMap<PartitionKey, Vec<&Document>> = BTreeMap::new();
    for document in documents {
        let key = PartitionKey { stream: StreamKind::of(document.kind()), slice: Slice::of(document.time(), now) };
        by_key.entry(key).or_default().push(document);
    }
    by_key.into_iter().map(|(key, documents)| partition(key, &documents, chunk)).collect()
}

fn partition(key: PartitionKey, documents: &[&Document], chunk: usize) -> PartitionSearcher {
    let index = Index::create_in_ram(DocumentSchema::build());
    let schema = DocumentSchema::of(index.schema()).unwrap();
    let mut writer: IndexWriter = index.writer_with_num_threads(1, 15_000_000).unwrap();
    writer.set_merge_policy(Box::new(NoMergePolicy));
    let mut sequence = 0;
    for documents in documents.chunks(chunk) {
        for document in documents {
            let mut source = Vec::new();
            document.to_json(&mut source);
            writer.add_document(schema.entry(document, &source, sequence)).unwrap();
            sequence += 1;
        }
        writer.commit().unwrap();
    }
    PartitionSearcher {
        key,
        searcher: index.reader().unwrap().searcher(),
        schema: Arc::new(schema),
        first_us: documents.iter().map(|d| d.time().as_micros()).min().unwrap(),
        last_us: documents.iter().map(|d| d.time().as_micros()).max().unwrap(),
    }
}

fn search(partitions: &[PartitionSearcher], request: &SearchRequest) -> Result<SearchResponse, SearchError> {
    validate::validate(request)?;
    execute(partitions, request, SearchOptions::default())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn agrees_with_the_naive_engine(
        documents in arbitrary::documents(60),
        chunk in 1_usize..40,
        requests in prop::collection::vec(arbitrary::request(), 24),
    ) {
        let partitions = partitions(&documents, chunk);
        for request in requests {
            let got = search(&partitions, &request).unwrap();
            let expect = naive::answer(&documents, &request);
            prop_assert_eq!(got.total, expect.total, "{:?}", request);
            prop_assert_eq!(&got.hits, &expect.hits, "{:?}", request);
            prop_assert!(got.complete);
            naive::assert_agree(&got.aggs, &expect.aggs);
        }
    }
}
