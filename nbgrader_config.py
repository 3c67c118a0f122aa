"""nbgrader's settings for this course: `nbgrader` commands run in this folder read them."""

from autograder.nbgrader_course import configure

c = get_config()  # noqa: F821 - nbgrader provides it

c.CourseDirectory.course_id = "consistency-models"
c.CourseDirectory.source_directory = "source"
c.CourseDirectory.release_directory = "release"
c.CourseDirectory.submitted_directory = "submitted"
c.CourseDirectory.autograded_directory = "autograded"
c.CourseDirectory.feedback_directory = "feedback"
c.CourseDirectory.solution_directory = "solution"

# The gradebook is gradebook.db in this folder; any database that SQLAlchemy reaches will do, with its driver installed:
# for this one `pip install "psycopg[binary]"`.
# c.CourseDirectory.db_url = "postgresql://grader@db.example.edu/consistency"

# What students find in place of an answer. Calling an unfinished function says so in a sentence.
c.ClearSolutions.code_stub = {
    "python": "# YOUR CODE HERE\n"
    'raise NotImplementedError("This function is not written yet: put your code in place of this line.")',
}
c.ClearSolutions.text_stub = "*Your answer here.*"

# What a late submission loses, none by default: up to so many hours late, so many percent of its points.
# Beyond the last row it loses what the last row says. A student's extension is counted first.
# c.LatePolicy.table = [(1, 0), (24, 10), (48, 25), (72, 100)]

# The model answer is run when it is made, and a cell that trains takes seconds; nbgrader's default is 30.
c.Execute.timeout = 120

# Marking through the judge, a bonus as extra credit, feedback without hidden checks: see docs/instructor.md.
configure(c)
