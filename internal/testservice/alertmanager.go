package testservice

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// An AlertmanagerServer is a Prometheus Alertmanager for one test alone. It sends its
// alerts to nobody.
type AlertmanagerServer struct{ *process }

// URL returns the URL of the server.
func (s *AlertmanagerServer) URL() string { return "http://" + s.Addr }

// Alertmanager starts an Alertmanager.
func Alertmanager(tb testing.TB) *AlertmanagerServer {
	tb.Helper()
	program := find(tb, "prometheus-alertmanager", "prometheus-alertmanager")
	dir := tempDir(tb, nil)
	config := filepath.Join(dir, "alertmanager.yml")
	require.NoError(tb, os.WriteFile(config, []byte("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"), 0o600))
	addr := "127.0.0.1:" + FreePort(tb)
	s := &AlertmanagerServer{&process{
		Addr: addr, tb: tb, name: "alertmanager", dir: dir,
		args: []string{
			program, "--config.file", config, "--storage.path", filepath.Join(dir, "data"),
			"--web.listen-address", addr, "--cluster.listen-address=",
		},
		ready: func() error { return respondsOK("http://" + addr + "/-/ready") },
	}}
	s.must(s.start())
	tb.Cleanup(s.Kill)
	return s
}

// respondsOK returns an error unless a server responds with status 200.
func respondsOK(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}
