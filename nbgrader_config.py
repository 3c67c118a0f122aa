"""nbgrader's settings for this course: `nbgrader` commands run in this folder read them."""

c = get_config()  # noqa: F821 - nbgrader provides it

c.CourseDirectory.course_id = "consistency-models"
c.CourseDirectory.source_directory = "source"
c.CourseDirectory.release_directory = "release"
c.CourseDirectory.submitted_directory = "submitted"
c.CourseDirectory.autograded_directory = "autograded"
c.CourseDirectory.feedback_directory = "feedback"

# What students find in place of an answer. Calling an unfinished function says so in a sentence.
c.ClearSolutions.code_stub = {
    "python": "# YOUR CODE HERE\n"
    'raise NotImplementedError("This function is not written yet: put your code in place of this line.")',
}
c.ClearSolutions.text_stub = "*Your answer here.*"

# A cell that trains takes seconds; nbgrader's default of 30 s is short for two students at a time.
c.Execute.timeout = 120
