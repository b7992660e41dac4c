package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
)

// BenchmarkFile is a filing over the whole stack, without the network.
func BenchmarkFile(b *testing.B) {
	r := newRig(b, generous)
	body, err := json.Marshal(complaint())
	must(b, err)
	var n atomic.Int64
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req := httptest.NewRequest("POST", Prefix+"/tickets", bytes.NewReader(body))
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Idempotency-Key", "benchmark-0123456789-"+strconv.FormatInt(n.Add(1), 10))
			w := httptest.NewRecorder()
			r.handler.ServeHTTP(w, req)
			if w.Code != http.StatusCreated {
				b.Errorf("%d %s", w.Code, w.Body)
				return
			}
		}
	})
}
