Scenario: Calls come beside chats, except where an agent is to answer undisturbed
  A call takes the whole agent: more chats wait until it is over.

  Given a queue Support with the number +49301000
  And Anna serves Support
  And Anna answers 2 chats at once
  And Bert serves Support
  And Bert answers 1 chats at once, undisturbed by calls
  When Carla writes a chat to Support
  And Anna takes the chat of Carla
  And Dora writes a chat to Support
  And Bert takes the chat of Dora
  And Emil calls +49301000
  Then Anna's telephone rings
  And Bert's telephone does not ring
  When Anna answers
  Then Emil and Anna hear each other
  When Frida writes a chat to Support
  Then the chat of Frida waits in Support
  When Gina calls +49301000
  Then Bert's telephone does not ring
  When Bert closes the chat of Dora
  Then the chat of Frida is offered to Bert
