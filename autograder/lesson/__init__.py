"""The lesson that comes before the notebook: Markdown, measured numbers and trained models become one page.

`page` puts it together. `prose` reads the Markdown, `blocks` sees that its blocks are closed, `facts` keeps text and
measurement together, `terms` sees that a word is explained before it is used, `whole` that the page needs nothing
beside it, `pictures` draws what does not move; what moves is in templates/.
"""
