Scenario: A caller who is not let in is refused, and nobody is disturbed
  A number is on the list of those who are not let in; others get through.

  Given a queue Support with the number +49301000
  And callers from +491999* are not let in
  And Anna serves Support
  When Nina calls +49301000 from +4919995
  Then Nina has left
  And Anna's telephone does not ring
  When Carla calls +49301000 from +4919985
  Then Anna's telephone rings
  And Support counts 0 offered, 0 answered, 0 abandoned, 0 moved on
