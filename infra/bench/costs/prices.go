package main

import (
	"fmt"
	"io"
)

// List prices in US dollars for us-east-1, without free tiers and discounts. docs/costs.md says where they stand
// and when they were read.
const (
	gatewayMillion   = 1.00         // HTTP API, first 300 million requests a month; 512 KB, more than any call has, count as one
	lambdaMillion    = 0.20         // requests
	lambdaGBSecond   = 0.0000133334 // arm64, first 7.5 billion GB-seconds a month
	readUnitMillion  = 0.125        // on demand, Standard table class
	writeUnitMillion = 0.625
	logsGB           = 0.50 // ingestion, first 10 TB a month: Lambda's log and the gateway's
	dataOutGB        = 0.09 // to the internet, first 10 TB a month
)

// Assumptions. Your own account tells the real ones.
const (
	lambdaMS    = 5   // billed for each call of the database, and the work on a small document meanwhile
	lambdaMB    = 512 // MemorySize of template.yaml
	headerBytes = 500 // of an answer

	functionLine = 500 // bytes of the function's line, with longer names than the demo users'
	gatewayLine  = 250 // bytes of the gateway's line
	eventBytes   = 26  // that CloudWatch adds to each line
	logBytes     = functionLine + gatewayLine + 2*eventBytes

	logBytesInfo = 2 << 10 // with Lambda's START, END and REPORT lines, which SystemLogLevel: WARN of template.yaml leaves out
)

// million returns what a million calls of this usage cost.
func (u usage) million() float64 {
	const gb = 1 << 30
	return gatewayMillion +
		lambdaMillion + 1e6*float64(u.Calls)*lambdaMS/1000*lambdaMB/1024*lambdaGBSecond +
		readUnitMillion*float64(u.Reads) + writeUnitMillion*float64(u.Writes) +
		logsGB*1e6*logBytes/gb +
		dataOutGB*1e6*float64(u.answer+headerBytes)/gb
}

func printPrices(out io.Writer) error {
	const gb = 1 << 30
	_, err := fmt.Fprintf(out, `
| Part | List price | Taken for a call | A million calls |
|---|---|---|--:|
| API Gateway, HTTP API | $%.2f a million requests | one request | $%.2f |
| Lambda, requests | $%.2f a million requests | one request | $%.2f |
| Lambda, time on arm64 | $%.10f a GB-second | %d ms at %d MB for each database call | $%.3f |
| DynamoDB, reads on demand | $%.3f a million units | each unit | $%.3f |
| DynamoDB, writes on demand | $%.3f a million units | each unit | $%.3f |
| CloudWatch Logs | $%.2f a GB | %d bytes | $%.2f |
| CloudWatch Logs, if Lambda wrote its own lines | $%.2f a GB | %d bytes | $%.2f |
| Data out, headers | $%.2f a GB | %d bytes | $%.2f |
| Data out, body | $%.2f a GB | each KB | $%.2f |
`,
		gatewayMillion, gatewayMillion,
		lambdaMillion, lambdaMillion,
		lambdaGBSecond, lambdaMS, lambdaMB, 1e6*lambdaMS/1000*lambdaMB/1024*lambdaGBSecond,
		readUnitMillion, readUnitMillion,
		writeUnitMillion, writeUnitMillion,
		logsGB, logBytes, logsGB*1e6*logBytes/gb,
		logsGB, logBytesInfo, logsGB*1e6*logBytesInfo/gb,
		dataOutGB, headerBytes, dataOutGB*1e6*headerBytes/gb,
		dataOutGB, dataOutGB*1e6*1024/gb)
	return err
}
