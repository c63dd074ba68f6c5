"""A page of the explorer in a real browser, and what a reader does and sees there."""

import io
import json
import time

import numpy as np
from peers import program
from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --enable-unsafe-swiftshader --force-device-scale-factor=1 "
    "--force-prefers-reduced-motion"
)
DESK, PHONE = (1280, 720), (390, 844)
PATIENCE = 180  # seconds
HARMLESS = ("GPU stall due to ReadPixels", "allowHTML will default")  # of drawing without a graphics card, and of Bokeh


def start(profile):
    """A headless Chromium with its own profile, which records what it says and what it asks for."""
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium")
    for flag in (*FLAGS.split(), f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(program("chromedriver")))
    driver.set_script_timeout(PATIENCE)
    return driver


class Page:
    """A window that shows a server's address.

    Models are found by their names; a value is read by a path such as "x_range.start". What a reader sees is asked
    of the browser, what the server knows of `session`.
    """

    def __init__(self, driver, server, query="", size=DESK):
        self.driver, self.server = driver, server
        self.messages = self.drain()[:0]  # what an earlier page said is gone
        self.resize(*size)
        driver.get(server.address + query)
        self.wait_idle()
        self.session = server.sessions[-1]

    def resize(self, width, height):
        """Sets what the window shows, without its frame; also to less than the narrowest window."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def js(self, code, *arguments):
        """What a script returns; it knows `named(name)`, a model, and `view(name)`, its view."""
        find = """const named = (name) => Bokeh.documents[0].get_model_by_name(name)
                  const view = (name) => Bokeh.index.find_one(named(name))
                  const box = (element) => element.getBoundingClientRect().toJSON()\n"""
        return self.driver.execute_script(find + code, *arguments)

    def wait(self, condition, of=""):
        """Waits until a condition holds, and gives what it gave."""
        end = time.monotonic() + PATIENCE
        while not (found := condition()):
            assert time.monotonic() < end, f"waited in vain{f' for {of}' if of else ''}; the page says {self.said!r}"
            time.sleep(0.05)
        return found

    def wait_idle(self):
        """Waits until all is drawn."""
        self.wait(lambda: self.driver.execute_script("return window.Bokeh?.documents[0]?.is_idle"), "an idle page")

    def value(self, name, path):
        """A property of a model in the browser."""
        return self.js("return arguments[1].split('.').reduce((at, key) => at[key], named(arguments[0]))", name, path)

    def text(self, name):
        """The text that is to be seen of a model."""
        return self.js(
            """const told = (at) => at.tagName == "STYLE" || at.hidden ? "" : at.nodeType == 3 ? at.data
                 : [...(at.shadowRoot ?? at).childNodes].map(told).join(" ")
               return told(view(arguments[0]).el)""",
            name,
        )

    @property
    def said(self):
        """The message line."""
        return " ".join(self.text("message").split()) if self.js("return view('message') != null") else ""

    def box(self, name):
        """Where a model is in the window, in pixels: x, y, width, height, ..."""
        return self.js("return box(view(arguments[0]).el)", name)

    def is_shown(self, name):
        """Whether a model is laid out, not in a tab that is closed."""
        return self.js("return view(arguments[0])?.el.checkVisibility({visibilityProperty: true}) ?? false", name)

    def picture(self, name=""):
        """Pixels of a model, or of the window, uint8 [H, W, 3]."""
        whole = np.asarray(Image.open(io.BytesIO(self.driver.get_screenshot_as_png())).convert("RGB"))
        if not name:
            return whole
        box = {key: round(value) for key, value in self.box(name).items()}
        return whole[box["top"] : box["bottom"], box["left"] : box["right"]]

    def point(self, name, x, y):
        """Where a place of a figure is in the window, in pixels."""
        return self.js(
            """const [name, x, y] = arguments, plot = view(name), at = box(plot.canvas_view.el)
               return [at.left + plot.frame.x_scale.compute(x), at.top + plot.frame.y_scale.compute(y)]""",
            name,
            float(x),
            float(y),
        )

    def mouse(self, places, drag=False):
        """Moves through places in the window, pressed if it drags, else with a click at the end."""
        does = ActionChains(self.driver, duration=20)
        for number, (x, y) in enumerate(places):
            does.w3c_actions.pointer_action.move_to_location(round(x), round(y))
            if drag and not number:
                does.w3c_actions.pointer_action.pointer_down()
        if drag:
            does.w3c_actions.pointer_action.pointer_up()
        else:
            does.w3c_actions.pointer_action.click()
        does.perform()

    def click(self, box):
        """Clicks the middle of a part of the window, such as `box` gives."""
        self.mouse([(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)])

    def tap(self, name, x, y):
        """Clicks a place of a figure, in its coordinates."""
        self.mouse([self.point(name, x, y)])

    def lasso(self, name, corners):
        """Draws around places of a figure, in its coordinates."""
        self.mouse([self.point(name, x, y) for x, y in corners], drag=True)

    def press(self, name):
        """Clicks the middle of a widget, after scrolling to it, once it is in the same place twice."""
        places = []

        def rests():
            places.append(
                self.js(
                    """const el = view(arguments[0]).el
                       el.scrollIntoView({block: "nearest"})
                       return box(el.shadowRoot.querySelector("button, input, select") ?? el)""",
                    name,
                )
            )
            return places[-1] in places[-2:-1]

        self.wait(rests, f"{name}, to stay where it is")
        self.click(places[-1])

    def type(self, *keys):
        """Types into what has the focus."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def enter(self, name, text):
        """Writes into a text widget, in place of what is there, and ends with Enter."""
        self.press(name)
        ActionChains(self.driver).key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).perform()
        self.type(text, Keys.ENTER)

    def choose(self, name, value):
        """Chooses a value of a select widget."""
        self.js(
            """const select = view(arguments[0]).input_el
               select.value = arguments[1]; select.dispatchEvent(new Event("change"))""",
            name,
            value,
        )

    def open_tab(self, title):
        """Opens a tab by a click on its title."""
        box = self.js(
            """const header = view('tabs').header_els.find((el) => el.textContent == arguments[0])
               header.scrollIntoView({block: "nearest"})
               return box(header)""",
            title,
        )
        self.click(box)
        self.wait_idle()

    def upload(self, button, path):
        """Gives a file to an upload button, as its dialog does."""
        self.driver.find_element("id", button).send_keys(str(path))

    def saves_into(self, folder):
        """Has the browser save downloads into a folder."""
        self.driver.execute_cdp_cmd(
            "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder), "eventsEnabled": True}
        )

    def saved(self, path):
        """Waits until the browser has saved a file, and gives what is in it."""
        self.wait(path.exists, path.name)
        return path.read_bytes()

    def drain(self):
        """What the browser has said since it was asked last."""
        return [*self.driver.get_log("performance"), *self.driver.get_log("browser")]

    def _recorded(self):
        self.messages = [*self.messages, *self.drain()]
        return self.messages

    def console_errors(self):
        """Errors of the console since the page was opened."""
        said = [one for one in self._recorded() if one.get("source") and one["level"] in ("SEVERE", "WARNING")]
        return [one["message"] for one in said if not any(text in one["message"] for text in HARMLESS)]

    def requests(self):
        """Addresses of all that the page has asked for, sockets too."""
        events = [json.loads(one["message"])["message"] for one in self._recorded() if not one.get("source")]
        sent = [one["params"]["request"]["url"] for one in events if one["method"] == "Network.requestWillBeSent"]
        return sent + [one["params"]["url"] for one in events if one["method"] == "Network.webSocketCreated"]
