// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"sort"
	"time"

	parser "github.com/gpustack/gguf-parser-go"
)

func main() {
	var opts []parser.GGUFReadOption
	for _, a := range os.Args[2:] {
		switch a {
		case "mmap":
			opts = append(opts, parser.UseMMap())
		case "skip":
			opts = append(opts, parser.SkipLargeMetadata())
		}
	}
	us := []float64{}
	for i := 0; i < 12; i++ {
		start := time.Now()
		if _, err := parser.ParseGGUFFile(os.Args[1], opts...); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if i > 0 {
			us = append(us, float64(time.Since(start).Nanoseconds())/1e3)
		}
	}
	sort.Float64s(us)
	fmt.Printf("%.1f %.1f\n", us[0], us[len(us)/2])
}
