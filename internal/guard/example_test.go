package guard_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/auditwarden/auditwarden/internal/guard"
)

func Example() {
	client, err := guard.NewClient(guard.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://169.254.169.254/latest/meta-data", http.NoBody)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.Do(req)
	fmt.Println(err)
	// Output: the address is neither public nor in an allowed network
}
