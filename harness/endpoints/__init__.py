"""Endpoints: models at an HTTP address, paid by the token or run on this machine.

    address             whose address it is
    keys                the API key for an address, and the rule of which key is sent where
    settings            settings that all hosted models share
    retries             retries while the server is busy, within the rate limit
    wire                one request: its time, its bytes, its headers, whatever library sends it
    prices              dollars per million tokens, dated, with their source (`prices.json`)
    meter               the estimate before, the count during, the cap that is never exceeded
    pool                several requests in flight; the first error stops the rest
    journal             answers, stored as they arrive
    providers           what is specific to a known host
    service             a model at an address
    reasoning           what a reasoning model says before its answer
    parameters          which optional fields a chat server accepts, learnt from its refusals
    chat                one chat request, one answer
    conversation        chat requests with all of the above, for generators and re-rankers
    embeddings          texts → vectors, validated; what the clients have in common
    openai              … by OpenAI's protocol, with its own client
    cohere              … by Cohere's, with its own client
    protocols           the client of each protocol
    embedding_settings  settings of a hosted encoder
    batches             texts in batches; texts that are too long are named
    encoder             a hosted encoder: each text is paid for once

A key is read only from the environment, when a request is made.
"""
