package hub_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"hotline/chat"
	"hotline/chat/hub"
)

// idleLimit is the budget of one idle chat, in bytes: heap and stacks of both its ends of the work inside this process.
const idleLimit = 16 << 10

// TestIdleChatIsCheap opens sockets with a client that costs next to nothing (a bare connection each) and reports what the server's side adds.
func TestIdleChatIsCheap(t *testing.T) {
	n := newPlace(t).node(t, func(_ *chat.Deps, o *hub.Options) { o.HelloWithin = time.Minute; o.TickEvery = 500 * time.Millisecond })
	count := 3000
	var lim syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim) == nil && uint64(count*2+200) > lim.Cur {
		count = int(lim.Cur-200) / 2
	}
	open := func() net.Conn {
		c, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_, err = io.WriteString(c, "GET /chat/v1/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "+
			base64.StdEncoding.EncodeToString(make([]byte, 16))+"\r\n\r\n")
		if err != nil {
			t.Fatal(err)
		}
		r := bufio.NewReaderSize(c, 512)
		resp, err := http.ReadResponse(r, nil)
		if err != nil || resp.StatusCode != 101 {
			t.Fatalf("%v, %v", resp, err)
		}
		hello := `{"t":"hello","site":"demo"}`
		frame := append([]byte{0x81, byte(0x80 | len(hello)), 0, 0, 0, 0}, hello...)
		if _, err := c.Write(frame); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 512)
		for got := ""; !strings.Contains(got, "welcome"); {
			k, err := r.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			got += string(buf[:k])
		}
		return c
	}
	measure := func() uint64 {
		var m runtime.MemStats
		for range 3 { // stacks shrink by half a collection
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	open()
	before := measure()
	clients := make([]net.Conn, count)
	for i := range clients {
		clients[i] = open()
	}
	goroutines := runtime.NumGoroutine()
	after := measure()
	each := int64(after-before) / int64(count)
	if s := n.hub.Stats(); s.Sockets != count+1 {
		t.Fatalf("%d sockets are open, want %d", s.Sockets, count+1)
	}
	t.Logf("%d idle chats: %.1f KiB each, the client's end of the connection included; %.2f goroutines each", count, float64(each)/1024, float64(goroutines)/float64(count))
	if each > idleLimit {
		t.Errorf("an idle chat costs %d bytes, the budget is %d", each, idleLimit)
	}
	runtime.KeepAlive(clients)
}

// BenchmarkMessageToReader measures from Post to the reader's socket on the same node.
func BenchmarkMessageToReader(b *testing.B) {
	n := newPlace(b).node(b)
	ws := raw(b, n, "", 0)
	write(b, ws, map[string]any{"t": "hello", "site": "demo"})
	w, _ := read(b, ws)
	token := w["token"].(string)
	write(b, ws, map[string]any{"t": "send", "ref": "1", "text": "hi"})
	for range 2 {
		read(b, ws)
	}
	conv, err := n.chat.ByThread(ctxb, "web", "demo", thread(b, token))
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		if _, err := n.chat.Post(ctxb, systemActor, conv.ID, chat.Outgoing{Author: chat.ByBot, Text: fmt.Sprint("m", i)}); err != nil {
			b.Fatal(err)
		}
		if f, _ := read(b, ws); f["t"] != "message" {
			b.Fatal(f)
		}
	}
}
