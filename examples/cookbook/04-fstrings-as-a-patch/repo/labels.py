"""Labels for doors and letters."""


def greeting(name):
    return "Dear {}".format(name)


def room(number):
    return "Room %s" % number


def parcel(number):
    return "No. %s" % number
