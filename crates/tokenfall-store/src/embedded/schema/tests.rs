use proptest::prelude::*;
use tantivy::indexer::NoMergePolicy;
use tantivy::{Index, IndexWriter};
use tokenfall_model::document::{LabelValue, Metricset, Sample};
use tokenfall_model::{EventKind, ServiceName, Timestamp};

use super::*;

/// Text as senders may send it: control characters, separators, any script, empty and long.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => any::<String>(),
        2 => "[\\x00-\\x1f.\\\\]{0,6}",
        1 => ("\\PC", 1..80_000_usize).prop_map(|(part, n)| part.repeat(n)),
    ]
}

fn document() -> impl Strategy<Value = Document> {
    let labels = prop::collection::btree_map(text(), prop::collection::vec(text(), 1..3), 0..6);
    let numbers = prop::collection::btree_map(text(), any::<f64>(), 0..6);
    (any::<i64>(), text(), text(), labels, numbers).prop_map(|(us, service, message, labels, numbers)| {
        let mut document = Document::new(Timestamp::from_micros(us), EventKind::Metricset, ServiceName::new(service));
        document.message = Some(message.clone());
        document.metricset = Some(Metricset { name: message, interval: None });
        document.labels = labels.into_iter().map(|(name, values)| (name, LabelValue::Many(values))).collect();
        document.samples = numbers.iter().map(|(name, value)| (name.clone(), Sample::Value(*value))).collect();
        document.numeric_labels = numbers;
        document
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// One document that the index cannot take would stop its partition.
    #[test]
    fn every_document_can_be_indexed(documents in prop::collection::vec(document(), 1..12)) {
        let index = Index::create_in_ram(DocumentSchema::build());
        let schema = DocumentSchema::of(&index.schema()).unwrap();
        let mut writer: IndexWriter = index.writer_with_num_threads(1, 15_000_000).unwrap();
        // A merge that Tantivy begins by itself would take segments away from the one below.
        writer.set_merge_policy(Box::new(NoMergePolicy));
        for (sequence, document) in documents.iter().enumerate() {
            let mut source = Vec::new();
            document.to_json(&mut source);
            writer.add_document(schema.entry(document, &source, sequence as u64)).unwrap();
            // A segment each, so that the merge is tried as well.
            if sequence % 2 == 0 {
                writer.commit().unwrap();
            }
        }
        writer.commit().unwrap();
        let segments = index.searchable_segment_ids().unwrap();
        writer.merge(&segments).wait().unwrap();
        prop_assert_eq!(index.reader().unwrap().searcher().num_docs(), documents.len() as u64);
    }
}
