"""JupyterLab's server with pictures that do not wait: its websockets send at once (TCP_NODELAY, tcp(7)).

Without, Nagle's algorithm holds a small message back until the browser has acknowledged the one before it, and the
browser's kernel delays that by up to 40 ms: a picture that is ready 20 ms after a key is seen after 60. The server
takes it by --ServerApp.kernel_websocket_connection_class=ipclab.prompt.PromptConnection.
"""
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """The server's usual connection between a browser and a kernel, without Nagle's delay."""

    def connect(self):
        self.websocket_handler.set_nodelay(True)
        return super().connect()
