// Command lode-interop-peer drives the Go original of Lode (github.com/pithecene-io/lode v0.9.0) for the tests of the
// TypeScript library. It calls the published library and nothing else, so whatever it writes or reads is what a Go
// process sharing the directory would write or read.
//
//	serve                one JSON request a line on stdin, one JSON answer a line on stdout, in order (serve.go)
//	race SPEC            commits in a loop from the first line on stdin on, one line for each outcome (race.go)
//	race-volume SPEC     commits blocks of a volume in a loop, likewise (volume_race.go)
//	write-in-steps SPEC  one write that waits for a line before each call that changes the directory (steps.go)
//	hold-lock FILE       holds an exclusive flock(2) on FILE until stdin closes (lock.go)
//	vectors DIR          writes the golden vectors (vectors.go)
//	volume-vectors DIR   writes those of volumes (volume_vectors.go)
//	probe [NAME...]      prints what the library does where its sources alone do not tell (probe.go)
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "lode-interop-peer:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("no command given: serve, race, race-volume, write-in-steps, hold-lock, vectors, volume-vectors or probe")
	}
	command, rest := args[0], args[1:]
	switch {
	case command == "serve" && len(rest) == 0:
		return serve(os.Stdin, os.Stdout)
	case command == "race" && len(rest) == 1:
		var spec raceSpec
		if err := json.Unmarshal([]byte(rest[0]), &spec); err != nil {
			return err
		}
		return race(spec, os.Stdin, os.Stdout)
	case command == "race-volume" && len(rest) == 1:
		var spec volumeRaceSpec
		if err := json.Unmarshal([]byte(rest[0]), &spec); err != nil {
			return err
		}
		return raceVolume(spec, os.Stdin, os.Stdout)
	case command == "write-in-steps" && len(rest) == 1:
		var spec stepsSpec
		if err := json.Unmarshal([]byte(rest[0]), &spec); err != nil {
			return err
		}
		return writeInSteps(spec, os.Stdin, os.Stdout)
	case command == "hold-lock" && len(rest) == 1:
		return holdLock(rest[0], os.Stdin, os.Stdout)
	case command == "vectors" && len(rest) == 1:
		return writeVectors(rest[0])
	case command == "volume-vectors" && len(rest) == 1:
		return writeVolumeVectors(rest[0])
	case command == "probe":
		return probe(rest, os.Stdout)
	}
	return fmt.Errorf("unknown command or wrong number of arguments: %q", args)
}
