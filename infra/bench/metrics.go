package main

import "fmt"

// Names of the figures: what was measured, and its unit.
const (
	startWall     = "start wall ms"
	startCPU      = "start CPU ms"
	coldStartWall = "start wall ms, program not in the page cache"
	coldStartCPU  = "start CPU ms, program not in the page cache"
	firstWall     = "first response wall ms"
	firstCPU      = "first response CPU ms"
	zipSize       = "zip MB"
	calls         = "database calls"
	readUnits     = "read units"
	randomCPU     = "warm CPU µs, 100 KB of random text"
	randomUnits   = "write units, 100 KB of random text"
	thawFIN       = "first response after a thaw ms, connections closed"
	thawRST       = "first response after a thaw ms, connections reset"
)

func warmCPU(size int) string            { return "warm CPU µs, " + label(size) }
func warmLatency(size int) string        { return "warm latency ms, " + label(size) }
func peakRSS(size int) string            { return "peak RSS MB, " + label(size) }
func growthCPU(size int) string          { return "growth CPU µs, " + label(size) }
func allocations(size int) string        { return "allocations, " + label(size) }
func allocatedBytes(size int) string     { return "allocated bytes, " + label(size) }
func units(size int) string              { return "write units, " + label(size) }
func atQuota(name string, mb int) string { return fmt.Sprintf("%s, %d MB", name, mb) }

// maxDocument is the largest document that the service takes.
const maxDocument = 400_000

const small, medium, large = 1 << 10, 100 << 10, 390 << 10

// growthSizes are those at which the growth of the cost is measured.
func growthSizes() []int {
	return []int{small, 10 << 10, 50 << 10, medium, 200 << 10, 300 << 10, large, maxDocument}
}

// allocationSizes are those at which allocations are counted.
func allocationSizes() []int { return []int{small, medium, large, maxDocument} }

func label(size int) string {
	switch {
	case size == maxDocument:
		return "400,000 bytes"
	case size%1024 == 0:
		return fmt.Sprintf("%d KB", size/1024)
	default:
		return fmt.Sprintf("%d bytes", size)
	}
}
