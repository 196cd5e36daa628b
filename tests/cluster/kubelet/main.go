// Command kubelet answers what kube-apiserver asks a node for: exec, attach, port-forward and logs.
//
// It runs no containers. Every container is a counter that prints a line every 100 ms and repeats
// what is typed into it; exec runs a process of this machine; a port of a pod is that of loopback.
// The streaming protocols are Kubernetes' own (k8s.io/cri-streaming), as in a real container runtime.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/creack/pty"
	"k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

const (
	idle     = 4 * time.Hour
	creation = 30 * time.Second
	beat     = 100 * time.Millisecond
	kept     = 1 << 20 // bytes of a log
)

// container is the main process of one: what it has said, and who is listening.
type container struct {
	mu      sync.Mutex
	said    []byte
	dropped int
	more    chan struct{} // closed and replaced whenever something is said
}

func newContainer() *container {
	c := &container{more: make(chan struct{})}
	go func() {
		for n := 1; ; n++ {
			c.say(fmt.Appendf(nil, "tick %d\n", n))
			time.Sleep(beat)
		}
	}()
	return c
}

func (c *container) say(text []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said = append(c.said, text...)
	if over := len(c.said) - kept; over > 0 {
		c.said = c.said[over:]
		c.dropped += over
	}
	close(c.more)
	c.more = make(chan struct{})
}

// since is what was said after a position, the position after it, and what tells of more.
func (c *container) since(position int) ([]byte, int, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := c.dropped + len(c.said)
	from := max(position-c.dropped, 0)
	return append([]byte(nil), c.said[from:]...), end, c.more
}

// follow copies what is said after a position until the context or the reader ends.
func (c *container) follow(ctx context.Context, position int, to io.Writer) error {
	for {
		text, next, more := c.since(position)
		if _, err := to.Write(text); err != nil {
			return err
		}
		position = next
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

type node struct {
	mu         sync.Mutex
	containers map[string]*container
}

func (n *node) container(r *http.Request) *container {
	key := r.PathValue("namespace") + "/" + r.PathValue("pod") + "/" + r.PathValue("container")
	n.mu.Lock()
	defer n.mu.Unlock()
	found := n.containers[key]
	if found == nil {
		found = newContainer()
		n.containers[key] = found
	}
	return found
}

type flusher struct{ http.ResponseWriter }

func (f flusher) Write(text []byte) (int, error) {
	n, err := f.ResponseWriter.Write(text)
	f.ResponseWriter.(http.Flusher).Flush()
	return n, err
}

func (n *node) logs(w http.ResponseWriter, r *http.Request) {
	c := n.container(r)
	if follow, _ := strconv.ParseBool(r.URL.Query().Get("follow")); follow {
		_ = c.follow(r.Context(), 0, flusher{w})
		return
	}
	text, _, _ := c.since(0)
	_, _ = w.Write(text)
}

// command runs a process of this machine for each exec.
type command struct{}

func (command) ExecInContainer(
	ctx context.Context, _, _, _ string, words []string,
	in io.Reader, out, err io.WriteCloser, tty bool,
	resize <-chan remotecommand.TerminalSize, _ time.Duration,
) error {
	if len(words) == 0 {
		return errors.New("no command")
	}
	process := exec.CommandContext(ctx, words[0], words[1:]...)
	if tty {
		return exitCode(onTerminal(process, in, out, resize))
	}
	if out != nil {
		process.Stdout = out
	}
	if err != nil {
		process.Stderr = err
	}
	if in != nil {
		// Not process.Stdin: Wait would wait for the client to end what it sends.
		pipe, failed := process.StdinPipe()
		if failed != nil {
			return failed
		}
		go func() {
			_, _ = io.Copy(pipe, in)
			_ = pipe.Close()
		}()
	}
	return exitCode(process.Run())
}

func onTerminal(
	process *exec.Cmd, in io.Reader, out io.Writer, resize <-chan remotecommand.TerminalSize,
) error {
	terminal, err := pty.Start(process)
	if err != nil {
		return err
	}
	defer terminal.Close()
	go func() {
		for size := range resize {
			_ = pty.Setsize(terminal, &pty.Winsize{Rows: size.Height, Cols: size.Width})
		}
	}()
	if in != nil {
		go func() {
			_, _ = io.Copy(terminal, in)
			_ = process.Process.Kill() // whoever typed has gone
		}()
	}
	if out != nil {
		_, _ = io.Copy(out, terminal)
	}
	return process.Wait()
}

func exitCode(err error) error {
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return utilexec.CodeExitError{Err: err, Code: failed.ExitCode()}
	}
	return err
}

// AttachContainer repeats what is typed, and shows what the container says from now on.
func (c *container) AttachContainer(
	ctx context.Context, _, _, _ string,
	in io.Reader, out, _ io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize,
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if in != nil {
		go func() {
			defer cancel()
			for text := make([]byte, 4096); ; {
				n, err := in.Read(text)
				if n > 0 {
					c.say(text[:n])
				}
				if err != nil {
					return
				}
			}
		}()
	}
	if out == nil {
		<-ctx.Done()
		return nil
	}
	_, now, _ := c.since(0)
	_ = c.follow(ctx, now, out)
	return nil
}

type loopback struct{}

func (loopback) PortForward(
	_ context.Context, _, _ string, port int32, stream io.ReadWriteCloser,
) error {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	defer conn.Close()
	go func() {
		_, _ = io.Copy(conn, stream)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	_, err = io.Copy(stream, conn)
	return err
}

func remote(serve func(http.ResponseWriter, *http.Request, *remotecommand.Options)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		options, err := remotecommand.NewOptions(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		serve(w, r, options)
	}
}

func (n *node) handler() http.Handler {
	mux := http.NewServeMux()
	const pod, inPod = "/{namespace}/{pod}", "/{namespace}/{pod}/{container}"
	mux.HandleFunc("/containerLogs"+inPod, n.logs)
	mux.HandleFunc("/exec"+inPod, remote(
		func(w http.ResponseWriter, r *http.Request, options *remotecommand.Options) {
			remotecommand.ServeExec(w, r, command{}, r.PathValue("pod"), "", r.PathValue("container"),
				r.URL.Query()["command"], options, idle, creation,
				remotecommand.SupportedStreamingProtocols)
		}))
	mux.HandleFunc("/attach"+inPod, remote(
		func(w http.ResponseWriter, r *http.Request, options *remotecommand.Options) {
			remotecommand.ServeAttach(w, r, n.container(r), r.PathValue("pod"), "",
				r.PathValue("container"), options, idle, creation,
				remotecommand.SupportedStreamingProtocols)
		}))
	mux.HandleFunc("/portForward"+pod, func(w http.ResponseWriter, r *http.Request) {
		options, err := portforward.NewV4Options(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		portforward.ServePortForward(w, r, loopback{}, r.PathValue("pod"), "", options,
			idle, creation, portforward.SupportedProtocols)
	})
	return mux
}

func main() {
	certificate := flag.String("tls-cert-file", "", "certificate")
	key := flag.String("tls-private-key-file", "", "its key")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	// Whoever starts us reads the port from the only line that we print.
	fmt.Fprintln(os.Stdout, listener.Addr().(*net.TCPAddr).Port)
	n := &node{containers: map[string]*container{}}
	log.Fatal((&http.Server{Handler: n.handler()}).ServeTLS(listener, *certificate, *key))
}
