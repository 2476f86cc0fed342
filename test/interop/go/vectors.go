package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/pithecene-io/lode/lode"
)

// Golden vectors are written once and committed: running this again gives new ids and times everywhere. Each case becomes
// one JSON file that holds the whole directory (names a Windows checkout could not bear included), what was asked of the
// library, and what the library then says of it. test/vectors/dataset/go-v0.9.0/README.md describes the members.

const library = "github.com/pithecene-io/lode v0.9.0"

// vectorCase is a dataset and the commits made to it. After may damage or age the directory before it is recorded.
type vectorCase struct {
	name   string
	about  string
	spec   datasetSpec
	writes []writeSpec
	after  func(root string, ids []string) error
}

type vectorFile struct {
	Case      string                  `json:"case"`
	About     string                  `json:"about"`
	Library   string                  `json:"library"`
	Dataset   datasetSpec             `json:"dataset"`
	Snapshots []vectorSnapshot        `json:"snapshots"`
	Latest    outcome                 `json:"latest"`
	Reader    vectorReader            `json:"reader"`
	Objects   map[string]vectorObject `json:"objects"`
}

// vectorSnapshot pairs what was written with what Go reads back.
type vectorSnapshot struct {
	ID       string         `json:"id"`
	Mode     string         `json:"mode"`
	Stamped  bool           `json:"stamped,omitempty"`
	Metadata any            `json:"metadata"`
	Written  contents       `json:"written"`
	Manifest *lode.Manifest `json:"manifest"`
	Read     *contents      `json:"read,omitempty"`
	Error    *failure       `json:"error,omitempty"`
}

// contents are records in full, or, where there are many, their number and both ends, or the length and digest of a
// long blob (of its chunks put together, where it was streamed).
type contents struct {
	Records values `json:"records,omitempty"`
	Count   int    `json:"count"`
	First   any    `json:"first,omitempty"`
	Last    any    `json:"last,omitempty"`
	Length  int    `json:"length,omitempty"`
	SHA256  string `json:"sha256,omitempty"`
}

type vectorReader struct {
	Datasets   outcome `json:"datasets"`
	Manifests  outcome `json:"manifests"`
	Partitions outcome `json:"partitions"`
}

type outcome struct {
	OK    any      `json:"ok,omitempty"`
	Error *failure `json:"error,omitempty"`
}

type vectorObject struct {
	Text   *string `json:"text,omitempty"`
	Base64 *string `json:"base64,omitempty"`
}

func writeVectors(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, c := range vectorCases() {
		file, err := record(c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if err := writeJSON(filepath.Join(dir, c.name+".json"), file); err != nil {
			return err
		}
	}
	texts, err := recordTexts()
	if err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(dir, "texts.json"), texts); err != nil {
		return err
	}
	files, err := recordParquetFiles()
	if err != nil {
		return err
	}
	return writeJSON(filepath.Join(dir, "parquet-files.json"), files)
}

func record(c vectorCase) (*vectorFile, error) {
	ctx := context.Background()
	root, err := os.MkdirTemp("", "lode-vectors-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(root) }()
	spec := c.spec
	spec.Root = root
	dataset, err := openDataset(spec, nil)
	if err != nil {
		return nil, err
	}
	file := &vectorFile{Case: c.name, About: c.about, Library: library, Dataset: c.spec}
	var ids []string
	for _, write := range c.writes {
		snapshot, err := commit(ctx, dataset, write)
		if err != nil {
			return nil, err
		}
		ids = append(ids, string(snapshot.ID))
	}
	if c.after != nil {
		if err := c.after(root, ids); err != nil {
			return nil, err
		}
	}
	if file.Objects, err = objectsUnder(root); err != nil {
		return nil, err
	}
	for i, id := range ids {
		snapshot, err := recordSnapshot(ctx, dataset, id, c.writes[i])
		if err != nil {
			return nil, err
		}
		file.Snapshots = append(file.Snapshots, snapshot)
	}
	// A fresh instance, and after the objects were recorded: asking for the latest may repair the pointer.
	fresh, err := openDataset(spec, nil)
	if err != nil {
		return nil, err
	}
	head, err := fresh.Latest(ctx)
	file.Latest = outcome{Error: failureOf(err)}
	if err == nil {
		file.Latest.OK = string(head.ID)
	}
	file.Reader, err = recordReader(ctx, spec)
	return file, err
}

func recordSnapshot(ctx context.Context, dataset lode.Dataset, id string, write writeSpec) (vectorSnapshot, error) {
	facts := vectorSnapshot{ID: id, Mode: write.Mode, Stamped: write.Stamped, Written: contentsOf(write.Records)}
	if facts.Mode == "" {
		facts.Mode = "write"
	}
	if write.Metadata != nil {
		facts.Metadata = write.Metadata
	}
	snapshot, err := dataset.Snapshot(ctx, lode.DatasetSnapshotID(id))
	if err != nil {
		return facts, err
	}
	facts.Manifest = snapshot.Manifest
	records, err := dataset.Read(ctx, lode.DatasetSnapshotID(id))
	facts.Error = failureOf(err)
	if err == nil {
		read := contentsOf(records)
		facts.Read = &read
	}
	return facts, nil
}

func recordReader(ctx context.Context, spec datasetSpec) (vectorReader, error) {
	reader, err := openReader(spec, nil)
	if err != nil {
		return vectorReader{}, err
	}
	datasets, err := listDatasets(ctx, reader, 0)
	facts := vectorReader{Datasets: outcomeOf(datasets, err)}
	manifests, err := listManifests(ctx, reader, spec.Dataset, "", 0)
	facts.Manifests = outcomeOf(manifests, err)
	partitions, err := listPartitions(ctx, reader, spec.Dataset, 0)
	facts.Partitions = outcomeOf(partitions, err)
	return facts, nil
}

func outcomeOf(result any, err error) outcome {
	if err != nil {
		return outcome{Error: failureOf(err)}
	}
	return outcome{OK: result}
}

func contentsOf(records []any) contents {
	all := contents{Count: len(records)}
	if blob := joined(records); len(blob) > 4096 {
		digest := sha256.Sum256(blob)
		all.Length, all.SHA256 = len(blob), hex.EncodeToString(digest[:])
		return all
	}
	if len(records) > 200 {
		all.First, all.Last = toTagged(records[0]), toTagged(records[len(records)-1])
		return all
	}
	all.Records = records
	return all
}

// joined is the blob that a list of chunks makes, or nothing when the list holds records.
func joined(records []any) []byte {
	var blob []byte
	for _, record := range records {
		if chunk, ok := record.([]byte); ok {
			blob = append(blob, chunk...)
		}
	}
	return blob
}

func objectsUnder(root string) (map[string]vectorObject, error) {
	objects := map[string]vectorObject{}
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		key, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		objects[filepath.ToSlash(key)] = objectOf(data)
		return nil
	})
	return objects, err
}

func objectOf(data []byte) vectorObject {
	if utf8.Valid(data) && !bytes.ContainsRune(data, 0) {
		text := string(data)
		return vectorObject{Text: &text}
	}
	text := base64.StdEncoding.EncodeToString(data)
	return vectorObject{Base64: &text}
}

func writeJSON(path string, value any) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, out.Bytes(), 0o644)
}

// readObject reads one object of a store in full.
func readObject(ctx context.Context, store lode.Store, key string) ([]byte, error) {
	body, err := store.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	return io.ReadAll(body)
}
