"""The hidden checks: one pytest file a task, which reach a student's code only through the fixture `student`."""
