// Reads the framing of our segments and snapshots with Pebble's reader of RocksDB's recyclable log format, which knows
// nothing of Lode. Arguments are files; for each it prints, as lines of JSON, the records it found and how they ended.
package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/record"
)

type found struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"`
	Body   []byte `json:"body"`
}

type ended struct {
	File    string `json:"file"`
	Records int    `json:"records"`
	End     string `json:"end"`
}

func main() {
	out := json.NewEncoder(os.Stdout)
	for _, path := range os.Args[1:] {
		if err := read(out, path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func read(out *json.Encoder, path string) error {
	name := filepath.Base(path)
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var head [11]byte
	if _, err := io.ReadFull(file, head[:]); err != nil {
		return out.Encode(ended{name, 0, err.Error()})
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	reader := open(record.NewReader, file, binary.LittleEndian.Uint32(head[7:]))
	for count := 0; ; count++ {
		offset := reader.Offset()
		next, err := reader.Next()
		var body []byte
		if err == nil {
			body, err = io.ReadAll(next)
		}
		switch {
		case errors.Is(err, io.EOF):
			return out.Encode(ended{name, count, "end"})
		case record.IsInvalidRecord(err):
			// What Pebble itself takes for the end of a log whose writer was killed.
			return out.Encode(ended{name, count, "nothing more"})
		case err != nil:
			return out.Encode(ended{name, count, err.Error()})
		}
		if err := out.Encode(found{name, offset, body}); err != nil {
			return err
		}
	}
}

// The type of a log number is internal to Pebble: inferred, it need not be named.
func open[N ~uint64](reader func(io.Reader, N) *record.Reader, from io.Reader, log uint32) *record.Reader {
	return reader(from, N(log))
}
