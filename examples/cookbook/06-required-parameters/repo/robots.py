"""Machines that move."""


def move(robot, speed=1):
    robot["x"] += speed
    return robot


def turn(robot, angle=90):
    robot["angle"] = (robot["angle"] + angle) % 360
    return robot


def wait(robot, seconds=1):
    robot["clock"] += seconds
    return robot
