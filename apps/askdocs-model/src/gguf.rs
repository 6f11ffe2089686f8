//! GGUF, the file format of llama.cpp's models: enough of it to read one, change its tensors' types, and write one.
//!
//! Specification: `docs/gguf.md` of ggml, version 3. All numbers are little-endian.
//!
//! ```text
//! file:   "GGUF" version:u32 tensors:u64 entries:u64 entry* info* padding data*
//! entry:  key:string type:u32 value
//! info:   name:string dimensions:u32 size:u64* type:u32 offset:u64      (sizes from the innermost outwards)
//! string: length:u64 bytes
//! ```

use std::io::{self, Write};

/// Alignment of tensors, in bytes, unless `general.alignment` says another one.
const ALIGNMENT: usize = 32;
/// Numbers in a block of a quantised row.
const BLOCK: usize = 32;

/// Types of tensors that are known here, by their number in ggml.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TensorType {
    /// 32-bit floats.
    F32,
    /// Blocks of 32 numbers of four bits, with a 16-bit scale and minimum: 20 bytes.
    Q4_1,
    /// Blocks of 32 bytes with a 16-bit scale: 34 bytes.
    Q8_0,
}

impl TensorType {
    const fn number(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::Q4_1 => 3,
            Self::Q8_0 => 8,
        }
    }

    /// Bytes of this many numbers.
    const fn bytes(self, numbers: usize) -> usize {
        match self {
            Self::F32 => numbers.saturating_mul(4),
            Self::Q4_1 => (numbers / BLOCK).saturating_mul(20),
            Self::Q8_0 => (numbers / BLOCK).saturating_mul(34),
        }
    }
}

/// A value of the file's description.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `u32`
    U32(u32),
    /// `i32`
    I32(i32),
    /// `f32`
    F32(f32),
    /// `bool`
    Bool(bool),
    /// Text.
    Text(String),
    /// List of texts.
    Texts(Vec<String>),
    /// List of `i32`.
    I32s(Vec<i32>),
    /// Anything else, as it stands in the file: type and bytes.
    Other(u32, Vec<u8>),
}

/// A named array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Name, such as `blk.0.attn_q.weight`.
    pub name: String,
    /// Sizes from the innermost dimension outwards.
    pub sizes: Vec<u64>,
    /// Type of the numbers.
    pub kind: TensorType,
    /// The numbers.
    pub data: Vec<u8>,
}

impl Tensor {
    fn numbers(&self) -> usize {
        self.sizes.iter().product::<u64>() as usize
    }

    /// The same tensor with 8-bit numbers, if it has 4-bit ones: larger, but faster where 4-bit kernels are not optimised. Nothing is lost that was not lost already, beyond half a step of 1/127 of each block's largest number.
    #[must_use]
    pub fn widened(self) -> Self {
        if self.kind != TensorType::Q4_1 {
            return self;
        }
        let mut data = Vec::with_capacity(TensorType::Q8_0.bytes(self.numbers()));
        for block in self.data.chunks_exact(20) {
            let scale = half_to_f32(u16::from_le_bytes([block[0], block[1]]));
            let minimum = half_to_f32(u16::from_le_bytes([block[2], block[3]]));
            let mut numbers = [0.0_f32; BLOCK];
            for (at, &byte) in block[4..].iter().enumerate() {
                numbers[at] = f32::from(byte & 0xF) * scale + minimum;
                numbers[at + BLOCK / 2] = f32::from(byte >> 4) * scale + minimum;
            }
            quantize(&numbers, &mut data);
        }
        Self { kind: TensorType::Q8_0, data, ..self }
    }
}

/// Adds a `Q8_0` block: as ggml's `quantize_row_q8_0_ref`.
fn quantize(numbers: &[f32; BLOCK], data: &mut Vec<u8>) {
    let largest = numbers.iter().fold(0.0_f32, |largest, number| largest.max(number.abs()));
    let scale = largest / 127.0;
    let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    data.extend_from_slice(&f32_to_half(scale).to_le_bytes());
    data.extend(numbers.iter().map(|number| ((number * inverse).round() as i8).to_le_bytes()[0]));
}

/// IEEE 754 half precision to single precision, exactly.
fn half_to_f32(half: u16) -> f32 {
    let sign = if half & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(half >> 10 & 0x1F), f32::from(half & 0x3FF));
    match exponent {
        0 => sign * fraction * 2_f32.powi(-24),
        31 if fraction > 0.0 => f32::NAN,
        31 => sign * f32::INFINITY,
        _ => sign * (1.0 + fraction / 1024.0) * 2_f32.powi(exponent - 15),
    }
}

/// A scale (not negative, below 65,504) to half precision, rounded to the nearest, ties to even.
fn f32_to_half(number: f32) -> u16 {
    let bits = number.to_bits();
    let exponent = (bits >> 23) as i32 - 127 + 15;
    if exponent >= 31 {
        return 0x7C00;
    }
    let (fraction, shift) = match exponent {
        1.. => (bits & 0x7F_FFFF, 13),
        // Subnormal: the hidden bit becomes visible.
        -10..=0 => (bits & 0x7F_FFFF | 0x80_0000, 14 - exponent),
        _ => return 0,
    };
    let kept = fraction >> shift;
    let (rest, middle) = (fraction & ((1 << shift) - 1), 1 << (shift - 1));
    let rounded = kept + u32::from(rest > middle || (rest == middle && kept & 1 == 1));
    // A carry out of the fraction counts the exponent up, as it should.
    ((exponent.max(0) as u32) << 10).wrapping_add(rounded) as u16
}

/// A model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gguf {
    /// Description, in order.
    pub entries: Vec<(String, Value)>,
    /// Tensors, in order.
    pub tensors: Vec<Tensor>,
}

/// Why a file cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum GgufError {
    /// It does not begin with `GGUF`, or is of another version.
    #[error("this is no GGUF file of version 2 or 3")]
    NotGguf,
    /// It ends too early.
    #[error("the file is cut short; remove it and fetch it again")]
    CutShort,
    /// A tensor's type is not known here.
    #[error("tensor {0} has type {1}, which is not supported")]
    TensorType(String, u32),
    /// Something cannot be.
    #[error("the file is damaged: {0}")]
    Damaged(&'static str),
}

impl Gguf {
    /// A text of the description.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.entries.iter().find_map(|(name, value)| match value {
            Value::Text(text) if name == key => Some(text.as_str()),
            _ => None,
        })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it is not one that is understood.
    pub fn read(bytes: &[u8]) -> Result<Self, GgufError> {
        let mut reader = Reader { bytes, at: 0 };
        if reader.take(4)? != b"GGUF" || !matches!(reader.u32()?, 2 | 3) {
            return Err(GgufError::NotGguf);
        }
        let (tensors, entries) = (reader.count()?, reader.count()?);
        let entries = (0..entries)
            .map(|_| Ok((reader.text()?, reader.value()?)))
            .collect::<Result<Vec<(String, Value)>, GgufError>>()?;
        let mut infos = Vec::new();
        for _ in 0..tensors {
            let name = reader.text()?;
            let dimensions = reader.u32()?;
            if dimensions > 4 {
                return Err(GgufError::Damaged("a tensor has more than four dimensions"));
            }
            let sizes = (0..dimensions).map(|_| reader.u64()).collect::<Result<Vec<_>, _>>()?;
            let kind = match reader.u32()? {
                0 => TensorType::F32,
                3 => TensorType::Q4_1,
                8 => TensorType::Q8_0,
                other => return Err(GgufError::TensorType(name, other)),
            };
            infos.push((name, sizes, kind, reader.u64()?));
        }
        let alignment = entries.iter().find_map(|(key, value)| match value {
            Value::U32(alignment) if key == "general.alignment" => Some(*alignment as usize),
            _ => None,
        });
        let alignment = alignment.filter(|alignment| *alignment > 0).unwrap_or(ALIGNMENT);
        let base = reader.at.checked_next_multiple_of(alignment).ok_or(GgufError::CutShort)?;
        let tensors = infos
            .into_iter()
            .map(|(name, sizes, kind, offset)| {
                let numbers = sizes.iter().try_fold(1_u64, |product, &size| product.checked_mul(size));
                let numbers = numbers.and_then(|numbers| usize::try_from(numbers).ok()).ok_or(GgufError::CutShort)?;
                if kind != TensorType::F32 && sizes.first().is_none_or(|row| row % BLOCK as u64 != 0) {
                    return Err(GgufError::Damaged("the rows of a quantised tensor are not whole blocks"));
                }
                let begin = usize::try_from(offset).ok().and_then(|offset| base.checked_add(offset));
                let data = begin
                    .and_then(|begin| bytes.get(begin..begin.checked_add(kind.bytes(numbers))?))
                    .ok_or(GgufError::CutShort)?;
                Ok(Tensor { name, sizes, kind, data: data.to_vec() })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { entries, tensors })
    }

    /// Writes a file.
    ///
    /// # Errors
    /// If `out` fails.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut head = Vec::from(*b"GGUF");
        head.extend(3_u32.to_le_bytes());
        head.extend((self.tensors.len() as u64).to_le_bytes());
        head.extend((self.entries.len() as u64).to_le_bytes());
        for (key, value) in &self.entries {
            put_text(&mut head, key);
            put_value(&mut head, value);
        }
        let mut offset = 0_usize;
        for tensor in &self.tensors {
            put_text(&mut head, &tensor.name);
            head.extend((tensor.sizes.len() as u32).to_le_bytes());
            head.extend(tensor.sizes.iter().flat_map(|size| size.to_le_bytes()));
            head.extend(tensor.kind.number().to_le_bytes());
            head.extend((offset as u64).to_le_bytes());
            offset += tensor.data.len().next_multiple_of(ALIGNMENT);
        }
        head.resize(head.len().next_multiple_of(ALIGNMENT), 0);
        out.write_all(&head)?;
        for tensor in &self.tensors {
            out.write_all(&tensor.data)?;
            let padding = tensor.data.len().next_multiple_of(ALIGNMENT) - tensor.data.len();
            out.write_all(&[0; ALIGNMENT][..padding])?;
        }
        Ok(())
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn put_value(out: &mut Vec<u8>, value: &Value) {
    let mut tagged = |kind: u32, bytes: &[u8]| {
        out.extend(kind.to_le_bytes());
        out.extend_from_slice(bytes);
    };
    match value {
        Value::U32(number) => tagged(4, &number.to_le_bytes()),
        Value::I32(number) => tagged(5, &number.to_le_bytes()),
        Value::F32(number) => tagged(6, &number.to_le_bytes()),
        Value::Bool(flag) => tagged(7, &[u8::from(*flag)]),
        Value::Text(text) => {
            tagged(8, &[]);
            put_text(out, text);
        }
        Value::Texts(texts) => {
            tagged(9, &8_u32.to_le_bytes());
            out.extend((texts.len() as u64).to_le_bytes());
            for text in texts {
                put_text(out, text);
            }
        }
        Value::I32s(numbers) => {
            tagged(9, &5_u32.to_le_bytes());
            out.extend((numbers.len() as u64).to_le_bytes());
            out.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        }
        Value::Other(kind, bytes) => tagged(*kind, bytes),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], GgufError> {
        let end = self.at.checked_add(length).ok_or(GgufError::CutShort)?;
        let taken = self.bytes.get(self.at..end).ok_or(GgufError::CutShort)?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], GgufError> {
        self.take(N)?.try_into().map_err(|_| GgufError::CutShort)
    }

    fn u32(&mut self) -> Result<u32, GgufError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, GgufError> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number of things that take at least a byte each, so that a damaged one cannot make us reserve the memory of the world.
    fn count(&mut self) -> Result<usize, GgufError> {
        let count = usize::try_from(self.u64()?).map_err(|_| GgufError::CutShort)?;
        if count > self.bytes.len() { Err(GgufError::CutShort) } else { Ok(count) }
    }

    fn text(&mut self) -> Result<String, GgufError> {
        let length = self.count()?;
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn value(&mut self) -> Result<Value, GgufError> {
        let kind = self.u32()?;
        Ok(match kind {
            4 => Value::U32(self.u32()?),
            5 => Value::I32(i32::from_le_bytes(self.array()?)),
            6 => Value::F32(f32::from_le_bytes(self.array()?)),
            7 => Value::Bool(self.take(1)?[0] != 0),
            8 => Value::Text(self.text()?),
            9 => return self.list(),
            0 | 1 | 2 | 3 | 10 | 11 | 12 => Value::Other(kind, self.take(width(kind)?)?.to_vec()),
            _ => return Err(GgufError::Damaged("a value of an unknown type")),
        })
    }

    fn list(&mut self) -> Result<Value, GgufError> {
        let begin = self.at;
        let kind = self.u32()?;
        let count = self.count()?;
        match kind {
            8 => Ok(Value::Texts((0..count).map(|_| self.text()).collect::<Result<_, _>>()?)),
            5 => {
                let numbers = (0..count).map(|_| self.array().map(i32::from_le_bytes));
                Ok(Value::I32s(numbers.collect::<Result<_, _>>()?))
            }
            _ => {
                let length = count.checked_mul(width(kind)?).ok_or(GgufError::CutShort)?;
                self.take(length)?;
                Ok(Value::Other(9, self.bytes[begin..self.at].to_vec()))
            }
        }
    }
}

/// Bytes of a number, by its type.
fn width(kind: u32) -> Result<usize, GgufError> {
    match kind {
        0 | 1 | 7 => Ok(1),
        2 | 3 => Ok(2),
        4..=6 => Ok(4),
        10..=12 => Ok(8),
        _ => Err(GgufError::Damaged("a list of an unknown type")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn small() -> Gguf {
        let block: Vec<u8> = [[0x00, 0x3C, 0x00, 0xC0].as_slice(), &[0x10; 16]].concat();
        Gguf {
            entries: vec![
                ("general.architecture".to_owned(), Value::Text("llama".to_owned())),
                ("llama.block_count".to_owned(), Value::U32(30)),
                ("x.epsilon".to_owned(), Value::F32(1e-5)),
                ("x.causal".to_owned(), Value::Bool(false)),
                ("tokens".to_owned(), Value::Texts(vec!["a".to_owned(), "▁b".to_owned()])),
                ("types".to_owned(), Value::I32s(vec![1, -3])),
                ("scores".to_owned(), Value::Other(9, [6_u32.to_le_bytes().as_slice(), &0_u64.to_le_bytes()].concat())),
            ],
            tensors: vec![
                Tensor { name: "norm".to_owned(), sizes: vec![3], kind: TensorType::F32, data: vec![7; 12] },
                Tensor { name: "q".to_owned(), sizes: vec![32, 2], kind: TensorType::Q4_1, data: block.repeat(2) },
            ],
        }
    }

    fn written(gguf: &Gguf) -> Vec<u8> {
        let mut bytes = Vec::new();
        gguf.write(&mut bytes).expect("memory");
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = written(&small());
        assert_eq!(Gguf::read(&bytes), Ok(small()));
        assert_eq!(small().text("general.architecture"), Some("llama"));
        for end in [0, 3, 20, bytes.len() / 2, bytes.len() - 40] {
            assert!(Gguf::read(&bytes[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn four_bits_become_eight() {
        // Scale 1, minimum −2: the first halves of the blocks are 0 − 2, the second ones 1 − 2.
        let widened = small().tensors[1].clone().widened();
        assert_eq!(widened.kind, TensorType::Q8_0);
        assert_eq!(widened.data.len(), 68);
        let scale = half_to_f32(u16::from_le_bytes([widened.data[0], widened.data[1]]));
        let numbers: Vec<f32> = widened.data[2..34].iter().map(|&b| f32::from(b as i8) * scale).collect();
        assert!(
            numbers[..16].iter().all(|n| (n + 2.0).abs() < 0.01)
                && numbers[16..].iter().all(|n| (n + 1.0).abs() < 0.01),
            "{numbers:?}"
        );
    }

    #[test]
    fn halves_go_both_ways() {
        for half in 0..0x7C00_u16 {
            assert_eq!(f32_to_half(half_to_f32(half)), half, "{half:04x}");
        }
        assert_eq!(f32_to_half(1e9), 0x7C00);
        assert_eq!(f32_to_half(1e-12), 0);
    }

    proptest! {
        #[test]
        fn nothing_that_is_read_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0_usize..400, flip in 0_usize..400, by: u8) {
            _ = Gguf::read(&bytes);
            bytes = written(&small());
            let at = flip.min(bytes.len() - 1);
            bytes[at] ^= by;
            _ = Gguf::read(&bytes[..cut.min(bytes.len())]);
            _ = Gguf::read(&bytes);
        }
    }
}
