"""One module a source format; `t2s_tui.datasets.registry` lists them."""
