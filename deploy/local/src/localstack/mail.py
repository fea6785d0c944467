"""MailDev, the mail catcher: takes every mail over SMTP and shows it in a browser and by its REST interface."""

from localstack.downloads import NODE, npm_folder
from localstack.layout import Instance


def command(instance: Instance) -> list[str]:
    """What starts it; mails are kept in memory only."""
    program = npm_folder("maildev") / "node_modules" / "maildev" / "bin" / "maildev"
    ports = [f"--smtp={instance.port('mail_smtp')}", f"--web={instance.port('mail_web')}"]
    return [str(NODE), str(program), *ports, "--ip=127.0.0.1", "--web-ip=127.0.0.1", "--silent"]


def web_url(instance: Instance) -> str:
    """Where the mails are shown."""
    return f"http://127.0.0.1:{instance.port('mail_web')}"
