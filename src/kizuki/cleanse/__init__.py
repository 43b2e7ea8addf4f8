"""Names, kana, gaiji, wareki, addresses and phones as distinct-value mappings, each with flags."""
