"""Endpoints: models behind an HTTP address, paid by the token or run on this machine.

    address       whose address it is
    redaction     keys struck out of what is reported
    keys          the key for an address, which nothing shows, and the rule of which key goes where
    patience      again where the server is busy, at the pace that is allowed
    wire          one request: its time, its bytes, its headers, whatever library asks
    prices        dollars for a million tokens, dated, with their source (`prices.json`)
    meter         the estimate before, the count during, the cap that is never passed
    pool          several requests under way; the first fault stops the rest
    kept          what was answered, kept as it comes
    providers     what is particular about a known host
    service       what must be said of any hosted model
    thoughts      what a reasoning model says before its answer
    dialect       which fields a chat server takes, learnt from its refusals
    chat          one chat request, one answer
    conversation  chat requests with all of the above: what generators and re-rankers ask through
    embeddings    texts → vectors, checked; what the clients have in common
    openai        … by OpenAI's protocol, with its own client
    cohere        … by Cohere's, with its own client
    hosted        settings of a hosted encoder
    asking        texts in batches; those that are too long are named
    encoder       a hosted encoder: each text paid for once

A key is read from the environment when a request is made, and from nowhere else.
"""
