"""Tests of the four packages; what several of them share is imported from here.

A package, so that no other distribution's folder of this name is found instead.
"""
