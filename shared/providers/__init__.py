"""Other people's services as carriers of effects: mail, Google's sheets, intents, language models.

Every carrier takes an effect and its attempt and gives an EffectAnswer. What a provider does wrong is an EffectFailed
with a stable name (docs/errors.md) and words fit for the bot's author; no secret is ever in them. Whatever has an
address that an author can choose is reached through the guarded client alone.
"""
