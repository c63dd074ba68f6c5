"""The explorer in a real Jupyter kernel, and what its cell shows in a real browser."""

import pytest
from peers import library

SHOW = "import astroclip_kit as ak\nspace = ak.EmbeddingStore('embeddings')\nspace.explore('data')"
AGAIN = "assert ak.EmbeddingStore('embeddings').explore('data') is space.explore('data')\nspace.explore('data').address"
OTHER = "1 + 1"  # the kernel goes on while the page is served
CLOSE = "space.explore('data').close()"


@pytest.mark.slow
def test_a_cell_shows_the_page_in_a_frame(galaxies, chromium, tmp_path):
    from browser import PATIENCE
    from selenium.webdriver.support.ui import WebDriverWait

    nbformat, nbclient = (library(name) for name in ("nbformat", "nbclient"))
    library("ipykernel")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in (SHOW, AGAIN, OTHER, CLOSE)])
    client = nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(galaxies)}})
    with client.setup_kernel():
        for number in range(3):
            client.execute_cell(notebook.cells[number], number)
        shown = notebook.cells[0].outputs[-1].data
        address = notebook.cells[1].outputs[-1].data["text/plain"].strip("'")
        assert f'<iframe src="{address}"' in shown["text/html"] and address in shown["text/plain"]
        assert notebook.cells[2].outputs[-1].data["text/plain"] == "2"
        page = tmp_path / "notebook.html"
        page.write_text(f"<!DOCTYPE html><title>A notebook</title><body>{shown['text/html']}")
        chromium.get(page.as_uri())
        chromium.switch_to.frame(chromium.find_element("tag name", "iframe"))
        wait = WebDriverWait(chromium, PATIENCE)
        wait.until(lambda driver: driver.execute_script("return window.Bokeh?.documents[0]?.is_idle"))
        named = "return Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name(arguments[0]))"
        title = chromium.execute_script(f"{named}.shadow_el.querySelector('h1').textContent", "title")
        wait.until(lambda driver: "400 of 400" in driver.execute_script(f"{named}.model.text", "map_status"))
        assert title.endswith("/embeddings")
        errors = [one for one in chromium.get_log("browser") if one["level"] == "SEVERE"]
        assert errors == []
        client.execute_cell(notebook.cells[3], 3)
    chromium.switch_to.default_content()
    assert not [one for cell in notebook.cells for one in cell.outputs if one.output_type == "stream"]
