"""The lesson that comes before the notebook: Markdown, measured numbers and the assignment's pictures become one page.

`page` puts it together. `prose` reads the Markdown, `blocks` sees that its blocks are closed, `facts` keeps text and
measurement together, `terms` sees that a word is explained before it is used, `self_contained` that the page needs
nothing beside it. `plane` is for pictures in a plane; the assignment's module `lesson_pictures` draws them.
"""
