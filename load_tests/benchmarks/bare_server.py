"""The limit of the gateway: a bare FastAPI + pydantic server with the same bodies and the same server settings.

POST /orders             validates an OrderRequest, answers with an Order
POST /committed-orders   the same, after committing a row of a journal batch's size to SQLite
/echo                    a WebSocket that returns each message
"""

from __future__ import annotations

import json
import socket
import sqlite3
import sys
from itertools import count
from pathlib import Path

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from services.gateway.order_schemas import Order, OrderRequest
from services.journal.connections import make_durable

ROW_BYTES = 620
"""The size of a journal batch with one order that rests: header, command, two events."""


def reply(number: int, request: OrderRequest) -> Order:
    """An answer with the fields, and so the size, of the venue's."""
    return Order(
        order_id=str(number),
        client_order_id=request.client_order_id,
        account=2,
        symbol=request.symbol,
        side=request.side,
        order_type=request.order_type,
        time_in_force=request.time_in_force or "day",
        price=request.price,
        quantity=request.quantity,
        leaves_qty=request.quantity,
        cum_qty=0,
        avg_px=None,
        fees="0.00",
        state="new",
        reason=None,
        trading_date="2023-12-01",
        created_at="2023-12-01T01:02:03.456789Z",
        updated_at="2023-12-01T01:02:03.456789Z",
        seq=number,
        stop_price=request.stop_price,
        triggered=None,
        protection_price=None,
        display_quantity=request.display_quantity,
        expire_time=request.expire_time,
        post_only=request.post_only,
        self_trade_prevention=request.self_trade_prevention,
        reason_text=None,
    )


def create_app(database: Path) -> FastAPI:
    """The bare application; `database` is the SQLite file of the committed rows."""
    app = FastAPI()
    numbers = count(1)
    connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    make_durable(connection, database)
    connection.execute("CREATE TABLE rows (first_seq INTEGER PRIMARY KEY, data BLOB NOT NULL)")

    @app.post("/orders", status_code=201)
    async def order(request: OrderRequest) -> Order:
        return reply(next(numbers), request)

    @app.post("/committed-orders", status_code=201)
    async def committed_order(request: OrderRequest) -> Order:
        number = next(numbers)
        connection.execute("INSERT INTO rows VALUES (?, ?)", (number, bytes(ROW_BYTES)))
        return reply(number, request)

    @app.websocket("/echo")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.send_text(await websocket.receive_text())
        except WebSocketDisconnect:
            return

    return app


def main(database: Path) -> None:
    """Serves until SIGTERM. Prints the port as one JSON line on standard output."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    # The settings of services/venue/bootstrap.py.
    config = uvicorn.Config(
        create_app(database), http="httptools", ws="websockets-sansio", log_level="warning", access_log=False
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
