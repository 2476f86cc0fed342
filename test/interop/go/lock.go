package main

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

// holdLock takes the lock that the library's compare-and-swap takes on "<pointer>.lock", says so, and keeps it until its
// stdin closes, so that a test can see who waits.
func holdLock(path string, in io.Reader, out io.Writer) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	fmt.Fprintln(out, `{"held":true}`)
	_, err = io.Copy(io.Discard, in)
	return err
}
