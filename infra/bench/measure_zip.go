package main

import (
	"context"
	"os"
	"path/filepath"
)

// measureZip packs what is deployed as sam deploy does, by Python's zipfile: programs in Go for arm64,
// what else there is as it was built here.
func (s *session) measureZip(ctx context.Context, p program) error {
	dir, err := s.w.scratch("zip", p.name)
	if err != nil {
		return err
	}
	artifact := p.artifact
	if p.source != "" {
		if artifact, err = p.build(ctx, target{root: s.w.root, dir: dir, goarch: "arm64"}); err != nil {
			return err
		}
	}
	archive := filepath.Join(dir, "function.zip")
	if err := command(ctx, filepath.Dir(artifact), nil, "python3", "-m", "zipfile", "-c", archive, filepath.Base(artifact)); err != nil {
		return err
	}
	info, err := os.Stat(archive)
	if err != nil {
		return err
	}
	s.results.add(p.name, zipSize, float64(info.Size())/1e6)
	return nil
}
