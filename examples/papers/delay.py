"""A TCP proxy that passes everything on a fixed time later, both ways, as a long line would.

usage: delay.py HOST PORT SECONDS FILE    FILE gets the port it listens on

Bytes keep their order and their rate; only when they come changes. Ends with SIGTERM.
"""
import asyncio
import os
import sys

HOST, PORT, SECONDS, FILE = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]


async def pass_on(reader, writer):
    """What comes from reader goes to writer, each piece SECONDS after it came."""
    loop = asyncio.get_running_loop()
    pieces = asyncio.Queue()

    async def take():
        while data := await reader.read(65536):
            pieces.put_nowait((loop.time() + SECONDS, data))
        pieces.put_nowait((loop.time() + SECONDS, b''))

    taking = asyncio.ensure_future(take())
    try:
        while True:
            due, data = await pieces.get()
            await asyncio.sleep(max(0, due - loop.time()))
            if not data:
                break
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        taking.cancel()
        writer.close()


async def serve(reader, writer):
    there, back = await asyncio.open_connection(HOST, PORT)
    await asyncio.gather(pass_on(reader, back), pass_on(there, writer), return_exceptions=True)


async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', 0)
    with open(f'{FILE}.new', 'w', encoding='ascii') as out:
        out.write(str(server.sockets[0].getsockname()[1]))
    os.rename(f'{FILE}.new', FILE)
    await server.serve_forever()


asyncio.run(main())
