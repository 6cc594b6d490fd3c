"""What a test does to a page in a browser."""

BY_CSS = "css selector"
TAB = "\ue004"


def shown(page, selector):
    """Find what a reader sees."""
    return [found for found in page.find_elements(BY_CSS, selector) if found.is_displayed()]


def tab_to(page, wanted, most=150):
    """Move the focus as a reader without a mouse does."""
    for _ in range(most):
        page.switch_to.active_element.send_keys(TAB)
        if page.switch_to.active_element == wanted:
            return
    raise AssertionError("the keyboard does not reach it")


def media(page, kind, theme="light", **features):
    """Show the page as on paper, or to a reader who asked for something."""
    wanted = {"prefers-color-scheme": theme} | features
    listed = [{"name": name, "value": value} for name, value in wanted.items()]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": kind, "features": listed})
