package main

import (
	"math"
	"testing"
)

func TestQuantile(t *testing.T) {
	t.Parallel()
	values := []float64{40, 10, 30, 20}
	for q, want := range map[float64]float64{0: 10, 0.25: 17.5, 0.5: 25, 0.75: 32.5, 1: 40} {
		if got := quantile(values, q); got != want {
			t.Errorf("quantile(%v, %v) = %v, want %v", values, q, got, want)
		}
	}
	if values[0] != 40 {
		t.Error("quantile changed the order of its values")
	}
	if got := quantile([]float64{7}, 0.99); got != 7 {
		t.Errorf("quantile of one value = %v, want 7", got)
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("median(nil) = %v, want NaN", got)
	}
}

func TestSlope(t *testing.T) {
	t.Parallel()
	if got := slope([]float64{1, 2, 3}, []float64{5, 7, 9}); got != 2 {
		t.Errorf("slope of a line = %v, want 2", got)
	}
	// By hand: means 2 and 2; (1·1 + 0 + 1·2) / 2.
	if got := slope([]float64{1, 2, 3}, []float64{1, 1, 4}); got != 1.5 {
		t.Errorf("slope of three points = %v, want 1.5", got)
	}
}
