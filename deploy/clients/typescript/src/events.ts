/** A stream of server-sent events goes in; whole events come out. */

export interface StreamEvent {
  event: string;
  id: string;
  data: string;
}

/** `alive` is called at each sign of life, also those that are no event. */
export async function* readEvents(answer: Response, alive: () => void): AsyncGenerator<StreamEvent> {
  if (!answer.body) return;
  let text = "";
  for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
    alive();
    text += piece;
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = parse(block);
      if (event.event) yield event;
    }
  }
}

function parse(block: string): StreamEvent {
  const event: StreamEvent = { event: "", id: "", data: "" };
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    const [name, value] = [line.slice(0, at), line.slice(at + 1).replace(/^ /, "")];
    if (name === "event" || name === "id" || name === "data") event[name] = value;
  }
  return event;
}
