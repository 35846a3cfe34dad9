//go:build !linux

package lambda_test

func parent() {}
